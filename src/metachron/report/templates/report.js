(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("js");
  function all(selector, scope) { return Array.prototype.slice.call((scope || document).querySelectorAll(selector)); }

  // one figure: which strategies are hidden, whether bands are shown
  all("input.toggle").forEach(function (box) {
    box.addEventListener("change", function () {
      var figure = document.getElementById(box.getAttribute("aria-controls"));
      all(".st-" + box.dataset.toggle, figure).forEach(function (part) { part.classList.toggle("off", !box.checked); });
    });
  });
  all("input.bands").forEach(function (box) {
    box.addEventListener("change", function () {
      document.getElementById(box.dataset.figure).classList.toggle("with-bands", box.checked);
    });
  });
  all("button.all").forEach(function (button) {
    button.addEventListener("click", function () {
      all("input.toggle", document.getElementById(button.dataset.figure)).forEach(function (box) {
        if (!box.checked) { box.checked = true; box.dispatchEvent(new Event("change")); }
      });
    });
  });

  // one strategy highlighted in every table and figure
  function highlight(index) {
    root.classList.toggle("lit", index !== "");
    all(".is-lit").forEach(function (part) { part.classList.remove("is-lit"); });
    if (index === "") { return; }
    all(".st-" + index).concat(all('[data-s="' + index + '"]')).forEach(function (part) { part.classList.add("is-lit"); });
  }
  var choice = document.getElementById("highlight");
  if (choice) { choice.addEventListener("change", function () { highlight(choice.value); }); }

  // what scrolls sideways can be reached with the keyboard
  function reach() {
    all(".scroll").forEach(function (box) {
      if (box.scrollWidth > box.clientWidth + 1) {
        box.tabIndex = 0; box.setAttribute("role", "region");
        var caption = box.querySelector("caption, title");
        box.setAttribute("aria-label", "Scrolls sideways: " + (caption ? caption.textContent : "table"));
      } else if (box.hasAttribute("role")) {
        box.removeAttribute("tabindex"); box.removeAttribute("role"); box.removeAttribute("aria-label");
      }
    });
  }
  reach();
  window.addEventListener("resize", reach);
  document.addEventListener("toggle", reach, true);
})();
