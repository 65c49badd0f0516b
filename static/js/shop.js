// What script adds to pages that work without it: arrows between options, sliders, setting
// what was typed, copying, saying what was done, and word when the connection fails. Decides
// nothing about the configuration.
"use strict";
(() => {
  const popovers = "popover" in HTMLElement.prototype;
  const radiosOf = (group) => [...group.querySelectorAll('button[role="radio"]')];

  // A radio and the button beside it that shows what it would change: both can be reached
  // with Tab, or neither.
  function stopAt(radio, here) {
    radio.tabIndex = here ? 0 : -1;
    const beside = document.querySelector(`[data-beside="${CSS.escape(radio.id)}"]`);
    if (beside) beside.tabIndex = radio.tabIndex;
  }

  // One stop per group for Tab; arrows move, Space and Enter choose (they press the button).
  function rove(root) {
    for (const group of root.querySelectorAll('[role="radiogroup"]')) {
      const radios = radiosOf(group);
      const stop = radios.find((r) => r.getAttribute("aria-checked") === "true") || radios[0];
      for (const radio of radios) stopAt(radio, radio === stop);
    }
  }

  document.addEventListener("keydown", (event) => {
    const radio = event.target.closest && event.target.closest('button[role="radio"]');
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!radio || !by) return;
    event.preventDefault();
    const radios = radiosOf(radio.closest('[role="radiogroup"]'));
    const next = radios[(radios.indexOf(radio) + by + radios.length) % radios.length];
    for (const each of radios) stopAt(each, each === next);
    next.focus();
  });

  // A button that cannot be used now stays focusable and does nothing.
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest('[aria-disabled="true"]');
    if (button) event.preventDefault();
  }, true);

  // What a choice would change closes where it stands, and what was only looked at goes.
  function closeLook() {
    const panel = document.querySelector("#ask .preview");
    if (!panel) return false;
    for (const field of panel.closest(".question").querySelectorAll(".entry")) {
      field.value = field.dataset.was;
    }
    panel.remove();
    const opener = document.getElementById(panel.dataset.opener);
    if (opener) opener.focus();
    return true;
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest("#ask .close-it") && closeLook()) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (!popovers || !document.querySelector(":popover-open")) closeLook();
  });

  // Without popovers the sheets stand at the end of the page.
  if (!popovers) document.addEventListener("click", (event) => {
    const opener = event.target.closest("[popovertarget]");
    if (opener) document.getElementById(opener.getAttribute("popovertarget")).scrollIntoView();
  });

  // A sheet that opens takes the focus, so that it is read out; closing it gives it back.
  document.addEventListener("toggle", (event) => {
    if (event.newState === "open" && event.target.matches(".botsheet")) event.target.focus();
  }, true);

  // A slider writes into its field and sends it when let go.
  function slide(root) {
    for (const slider of root.querySelectorAll("input[data-sets]")) {
      const field = document.getElementById(slider.dataset.sets);
      if (!field) continue;
      slider.hidden = false;
      slider.addEventListener("input", () => {
        field.value = document.documentElement.lang === "es"
          ? slider.value.replace(".", ",") : slider.value;
        const unit = field.nextElementSibling?.textContent ?? "";
        slider.setAttribute("aria-valuetext", `${field.value} ${unit}`.trim());
      });
      slider.addEventListener("change", () => field.form.requestSubmit());
    }
  }

  // What is typed counts once it is set, so it is set when it is left: by Tab, or by pressing
  // something elsewhere, which then waits and is pressed again. What is pressed within the
  // question (less, more, what changes) is meant instead of setting it. What is pressed while
  // another answer is on its way waits for it, too.
  let waiting = null;
  let onItsWay = false;
  let pressed = null;
  let byKey = false;
  let typed = [];
  let after = [];

  const changed = () => [...document.querySelectorAll("#ask .entry")]
    .filter((field) => field.value !== field.dataset.was);
  const unset = (but) => changed().find((field) =>
    field.value.trim() && !(but && field.closest(".question").contains(but)));

  function set(field) {
    if (waiting ? field.reportValidity() : field.checkValidity()) field.form.requestSubmit();
    else waiting = null;
  }

  function hold(event, thing) {
    event.preventDefault();
    event.stopImmediatePropagation();
    waiting = thing;
  }

  // The thing itself, or what took its place on the page since.
  function nowOf(thing) {
    if (thing.isConnected) return thing;
    if (thing.id) return document.getElementById(thing.id);
    const address = thing.getAttribute("href");
    return address && document.querySelector(`a[href="${CSS.escape(address)}"]`);
  }

  document.addEventListener("keydown", () => { byKey = true; }, true);
  document.addEventListener("pointerdown", () => { byKey = false; }, true);
  document.addEventListener("focusout", (event) => {
    const form = event.target.closest("#ask:not(.htmx-swapping) .stepper");
    if (!form || !byKey || !document.hasFocus() || form.contains(event.relatedTarget)) return;
    const field = changed().find((each) => each.form === form && each.value.trim());
    if (field) set(field);
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const thing = event.target.closest("a[href], button");
    if (onItsWay && thing && thing.closest("#ask, #onward")) {
      hold(event, thing === pressed ? waiting : thing); // pressed twice is meant once
      return;
    }
    pressed = thing;
    const field = unset(thing || document.activeElement);
    if (!field) return;
    if (thing) hold(event, thing);
    set(field);
  }, true);

  // After an answer: what was typed elsewhere meanwhile, then what waits.
  function goOn(fits) {
    const trouble = document.querySelector('#ask [aria-invalid="true"]');
    if (!fits) {
      if (waiting && trouble) trouble.focus();
      waiting = null;
      return;
    }
    const field = waiting ? unset() : unset(document.activeElement);
    if (field && (waiting || typed.some((each) => each.id === field.id))) set(field);
    else if (waiting) {
      const thing = nowOf(waiting);
      waiting = null;
      if (thing) thing.click();
    }
  }

  function copying(root) {
    for (const button of root.querySelectorAll("[data-copies]")) {
      if (!navigator.clipboard) continue;
      button.hidden = false;
      button.addEventListener("click", () => {
        const field = document.getElementById(button.dataset.copies);
        field.select();
        navigator.clipboard.writeText(field.value).then(() => {
          button.textContent = document.body.dataset.copied;
        }, () => {});
      });
    }
  }

  function ready(root) {
    for (const line of root.querySelectorAll(".by-hand")) line.remove();
    rove(root);
    slide(root);
    copying(root);
  }

  function alertOf(text) {
    const place = document.getElementById("offline");
    if (place) place.textContent = text;
  }

  // An act that takes long is seen and said to be on its way, until its answer is said instead.
  // What settles by itself is no act of the customer's.
  let slow;
  function awaitAnswer(event) {
    if (event.detail.elt.id === "settle") return;
    onItsWay = true;
    slow = setTimeout(() => {
      document.body.classList.add("waits");
      document.getElementById("say").textContent = document.body.dataset.moment;
    }, 500);
  }
  function answered() {
    onItsWay = false;
    clearTimeout(slow);
    document.body.classList.remove("waits");
    const place = document.getElementById("say");
    if (place.textContent === document.body.dataset.moment) place.textContent = "";
  }

  // Screen readers tell of a live region that changes, not of one that came filled.
  function sayAgain() {
    const place = document.getElementById("say");
    const text = place ? place.textContent : "";
    if (!text) return;
    place.textContent = "";
    setTimeout(() => { place.textContent = text; }, 100);
  }

  document.addEventListener("DOMContentLoaded", () => { ready(document); sayAgain(); });
  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector('meta[name="csrf-token"]');
    if (token) event.detail.headers["X-CSRFToken"] = token.content;
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const sent = event.detail.xhr.status === 409 ? null : event.detail.requestConfig.elt;
    typed = changed().filter((field) => !field.closest(".question").contains(sent));
    // Where the focus goes when what had it is gone: what it names, else its question.
    const question = document.activeElement.closest("#ask .question");
    after = question ? [document.activeElement.dataset.then, `${question.id}-name`] : [];
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "ask") return;
    for (const { id, value } of typed) {
      const field = document.getElementById(id);
      if (field) field.value = value;
    }
    if (document.activeElement !== document.body) return;
    const next = after.map((id) => document.getElementById(id)).find(Boolean);
    if (next) next.focus({ preventScroll: !byKey });
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "ask") return;
    ready(event.target);
    setTimeout(goOn, 0, event.detail.xhr.status < 400);  // htmx still holds this request
  });
  for (const kind of ["htmx:sendError", "htmx:timeout", "htmx:responseError", "pageshow"]) {
    window.addEventListener(kind, () => { waiting = null; answered(); });
  }
  document.addEventListener("htmx:beforeRequest", (event) => { alertOf(""); awaitAnswer(event); });
  document.addEventListener("htmx:beforeSwap", answered);
  window.addEventListener("offline", () => alertOf(document.body.dataset.offline));
  window.addEventListener("online", () => alertOf(""));
  document.addEventListener("htmx:sendError", () => alertOf(document.body.dataset.offline));
  document.addEventListener("htmx:timeout", () => alertOf(document.body.dataset.offline));
  document.addEventListener("htmx:responseError", () => alertOf(document.body.dataset.trouble));
})();
