// What script adds to the staff's pages, which work without it: keys, and a slider that goes
// where it is let go.
"use strict";
(() => {
  const TYPING = 'input:not([type="range"]), textarea, select';

  // A key follows the link that names it, so what a page says of its keys is what they do.
  // Letters count in the content only: dictation or a slip elsewhere sets nothing off.
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    const at = event.target;
    if (at.closest(TYPING)) return;
    if (at.type === "range" && event.key.startsWith("Arrow")) return; // moves by itself
    const letter = event.key.length === 1;
    if (letter && !at.closest("main")) return;
    const key = (event.shiftKey ? "Shift+" : "") + (letter ? event.key.toUpperCase() : event.key);
    const named = `a[aria-keyshortcuts="${CSS.escape(key)}"]`;
    // Where several links have the key, that of the diagnostic at hand goes first.
    const here = at.closest(".dg") || document.querySelector(".dg:target");
    const link = (here && here.querySelector(named)) || document.querySelector(`main ${named}`);
    if (!link) return;
    event.preventDefault();
    link.click();
  });

  document.addEventListener("DOMContentLoaded", () => {
    for (const link of document.querySelectorAll("a[aria-keyshortcuts]")) {
      const key = document.createElement("kbd");
      key.className = "wideonly";
      key.ariaHidden = "true"; // readers are told by the link itself
      const name = link.getAttribute("aria-keyshortcuts");
      key.textContent = { ArrowLeft: "←", ArrowRight: "→" }[name] || name;
      link.append(" ", key);
    }
    for (const slider of document.querySelectorAll("input[data-shows]")) {
      slider.form.querySelector("button").hidden = true;
      slider.addEventListener("input", () => {
        document.getElementById(slider.dataset.shows).textContent = slider.value;
        slider.removeAttribute("aria-valuetext"); // it told of the step before
      });
      slider.addEventListener("change", () => slider.form.requestSubmit());
    }
  });
})();
