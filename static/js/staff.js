// What script adds to the staff's pages, which work without it: keys, a slider that goes
// where it is let go, and a replay that goes on by itself.
"use strict";
(() => {
  const PACE = 3000; // milliseconds a step is shown while the replay plays
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

  // Each step is a page of its own, so that the replay plays is kept for this tab. Whatever
  // else is done on a page ends it.
  const replay = (play) => {
    const slider = document.getElementById("seq");
    const { action } = slider.form;
    const last = Number(slider.max);
    const words = play.getAttribute("aria-label");
    let timer;
    const go = (seq) => {
      slider.value = seq;
      slider.form.requestSubmit();
    };
    const onward = () => go(Number(slider.value) + 1);
    const stop = () => {
      clearTimeout(timer);
      sessionStorage.removeItem("playing");
      play.classList.remove("playing");
      play.setAttribute("aria-label", words);
    };
    const start = () => {
      sessionStorage.setItem("playing", action);
      play.classList.add("playing");
      play.setAttribute("aria-label", play.dataset.pause);
      timer = setTimeout(onward, PACE);
    };
    play.hidden = last < 2;
    play.addEventListener("click", () => {
      if (play.classList.contains("playing")) return stop();
      start();
      if (Number(slider.value) === last) go(1);
    });
    for (const kind of ["keydown", "pointerdown"]) {
      document.addEventListener(kind, (event) => {
        if (!play.contains(event.target)) stop();
      });
    }
    if (sessionStorage.getItem("playing") !== action) return;
    if (Number(slider.value) === last) return stop();
    start();
    play.focus();
  };

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
      slider.form.querySelector("button:not([type])").hidden = true;
      slider.addEventListener("input", () => {
        document.getElementById(slider.dataset.shows).textContent = slider.value;
        slider.removeAttribute("aria-valuetext"); // it told of the step before
      });
      slider.addEventListener("change", () => slider.form.requestSubmit());
    }
    const play = document.getElementById("play");
    if (play) replay(play);
  });
})();
