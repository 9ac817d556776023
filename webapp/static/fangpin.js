// Comforts only: every page works without this file.
//   data-key="a"      pressing the key clicks the element, but not while somebody types, nor when keys are switched off
//   data-confirm="…"  on a form: asks before it is sent
//   data-print        on a button: prints the page; without scripts the browser's own menu does
(() => {
  const SWITCH = "fangpin-single-keys";
  const keysOn = () => localStorage.getItem(SWITCH) !== "off";
  const typing = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeMenus(null);
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.isComposing) return;
    if (!/^[a-z0-9/?]$/i.test(event.key) || typing(event.target) || !keysOn()) return;
    const target = document.querySelector(`[data-key="${event.key.toLowerCase()}"]:not([disabled])`);
    if (target === null || target.getClientRects().length === 0) return;
    event.preventDefault();
    target.focus();
    if (!target.matches("input, textarea, select")) target.click();
  });

  // Before htmx and the browser see the form.
  document.addEventListener("submit", (event) => {
    const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
    if (question && !confirm(question)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);

  const closeMenus = (inside) => {
    for (const menu of document.querySelectorAll("details:is(.user-menu, .menu-group)[open]")) {
      if (inside !== null && menu.contains(inside)) continue;
      if (inside === null && menu.contains(document.activeElement)) menu.querySelector("summary").focus();
      menu.open = false;
    }
  };
  document.addEventListener("click", (event) => closeMenus(event.target));

  const showTrouble = (event) => {
    if (event.detail?.ctx?.response?.status === 401) return location.reload(); // signed out meanwhile
    const place = document.getElementById("page-trouble");
    if (place !== null) place.hidden = false;
  };
  document.addEventListener("htmx:response:error", showTrouble);
  document.addEventListener("htmx:error", showTrouble);

  for (const button of document.querySelectorAll("[data-print]")) {
    button.addEventListener("click", () => print());
    button.hidden = false;
  }

  // Single keys can be switched off, for whoever speaks to the machine or hits keys by chance (WCAG 2.1.4).
  for (const button of document.querySelectorAll("[data-shortcuts]")) {
    const words = button.querySelector("span");
    const show = () => {
      button.setAttribute("aria-pressed", String(keysOn()));
      words.textContent = keysOn() ? words.dataset.on : words.dataset.off;
    };
    button.addEventListener("click", () => {
      localStorage.setItem(SWITCH, keysOn() ? "off" : "on");
      show();
    });
    button.hidden = false;
    show();
  }
})();
