// What script adds to pages that work without it: arrows between options, sliders,
// copying, and word when the connection fails. Decides nothing about the configuration.
"use strict";
(() => {
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

  // A slider writes into its field and sends it when let go.
  function slide(root) {
    for (const slider of root.querySelectorAll("input[data-sets]")) {
      const field = document.getElementById(slider.dataset.sets);
      if (!field) continue;
      slider.hidden = false;
      slider.addEventListener("input", () => {
        field.value = document.documentElement.lang === "es"
          ? slider.value.replace(".", ",") : slider.value;
      });
      slider.addEventListener("change", () => field.form.requestSubmit());
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
    rove(root);
    slide(root);
    copying(root);
  }

  function alertOf(text) {
    const place = document.getElementById("offline");
    if (place) place.textContent = text;
  }

  document.addEventListener("DOMContentLoaded", () => ready(document));
  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector('meta[name="csrf-token"]');
    if (token) event.detail.headers["X-CSRFToken"] = token.content;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "ask") ready(event.target);
  });
  document.addEventListener("htmx:beforeRequest", () => alertOf(""));
  document.addEventListener("htmx:sendError", () => alertOf(document.body.dataset.offline));
  document.addEventListener("htmx:timeout", () => alertOf(document.body.dataset.offline));
  document.addEventListener("htmx:responseError", () => alertOf(document.body.dataset.trouble));
})();
