// Shows what a term of the glossary means, at the pointer or at the focus.
// The words stay while the pointer is on them, and Escape takes them away.
(() => {
  const tip = document.createElement("div");
  tip.id = "term-tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  const meanings = window.bookTerms[document.documentElement.lang];
  let shown, leaving;

  function show(link) {
    clearTimeout(leaving);
    if (shown === link) return;
    hide();
    shown = link;
    tip.textContent = meanings[link.dataset.term];
    tip.hidden = false;
    link.setAttribute("aria-describedby", tip.id);
    place(link.getClientRects()[0] ?? link.getBoundingClientRect());
  }

  // Below the word, or above it where there is no room.
  function place(word) {
    const most = document.documentElement.clientWidth - tip.offsetWidth - 8;
    const below = word.bottom + 4;
    const fits = below + tip.offsetHeight < document.documentElement.clientHeight;
    const top = fits ? below : word.top - tip.offsetHeight - 4;
    tip.style.left = `${Math.max(8, Math.min(word.left, most)) + scrollX}px`;
    tip.style.top = `${top + scrollY}px`;
  }

  function hide() {
    clearTimeout(leaving);
    shown?.removeAttribute("aria-describedby");
    shown = undefined;
    tip.hidden = true;
  }

  const soon = () => { leaving = setTimeout(hide, 200); };
  for (const link of document.querySelectorAll("a[data-term]")) {
    link.addEventListener("pointerenter", (e) => e.pointerType === "touch" || show(link));
    link.addEventListener("pointerleave", soon);
    link.addEventListener("focus", () => show(link));
    link.addEventListener("blur", hide);
  }
  tip.addEventListener("pointerenter", () => clearTimeout(leaving));
  tip.addEventListener("pointerleave", soon);
  document.addEventListener("keydown", (e) => { if (e.key === "Escape") hide(); });
  document.body.append(tip);
})();
