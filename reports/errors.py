"""What can go wrong when documents are made."""

from __future__ import annotations

from foundation.errors import FangpinError


class RenderingFailed(FangpinError):
    """A document could not be made into a PDF; nothing was issued. `cause` is one word and holds no personal data."""

    code = "rendering_failed"

    def __init__(self, title: str, cause: str) -> None:
        super().__init__(
            f"《{title}》无法生成PDF({cause}),请重试;仍不行时请联系管理员",
            f"the PDF {title!r} cannot be made ({cause}): try again, then ask the administrator",
        )
        self.cause = cause


class NothingToPublish(FangpinError):
    """A village notice was asked for a period that has no result of its kind."""

    code = "nothing_to_publish"

    def __init__(self) -> None:
        super().__init__(
            "这一期间没有可公示的结果",
            "the period has no result to publish",
        )


class NotCovered(FangpinError):
    """A certificate was asked for a household or a village in which nobody is insured under the policy."""

    code = "not_covered"

    def __init__(self) -> None:
        super().__init__(
            "在这张保单下没有参保人员,不能出具凭证",
            "nobody there is insured under this policy: there is nothing to certify",
        )
