#!/usr/bin/env bash
# Runs the main job on the demo's pack, says where the results lie, and serves the web application on them.
#
#   PORT=8001            another port than 8000
#   FANGPIN_NO_SERVE=1   ends after the main job
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=build/demo
port=${PORT:-8000}
code=0
.venv/bin/fangpin run demo/pack --out "$out" || code=$?

# 1 says that errors.csv has rows: the pack has bad rows on purpose, as a county's real files do.
if [ "$code" = 1 ] && [ "$(head -n 2 "$out/errors.csv" 2>/dev/null | wc -l)" = 2 ]; then
    code=0
fi
[ "$code" = 0 ] || exit "$code"

printf '%s\n' "" \
    "结果在 / results in $PWD/$out:" \
    "  decisions.csv   每一案的决定 / each claim's decision" \
    "  errors.csv      未能读入的行 / rows that could not be taken in" \
    "  payments/       银行文件 / bank files" \
    "  reports/        通知书与报告 / letters and reports (PDF)" \
    "  summary.json    汇总 / summary" \
    "  serve.log       网页日志 / log of the web application" ""

[ -z "${FANGPIN_NO_SERVE:-}" ] || exit 0
export FANGPIN_LOG="${FANGPIN_LOG:-$out/serve.log}"
exec .venv/bin/fangpin serve --demo --port "$port" --database "${FANGPIN_DATABASE:-sqlite:///$PWD/$out/fangpin.db}"
