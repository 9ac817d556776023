// Follows the machine's light or dark setting where the person chose none; runs before the first paint.
(() => {
  const page = document.documentElement;
  if (page.dataset.themeChoice !== "auto") return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => page.setAttribute("data-bs-theme", dark.matches ? "dark" : "light");
  follow();
  dark.addEventListener("change", follow);
})();
