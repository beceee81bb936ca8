// Windows that close by their button, and keys that do something wherever no text is being typed.
function onKeys(actions) {
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  }
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const typing = event.target.matches("input[type=search], textarea");
    if (event.key === "Escape" && event.target.matches("input, select")) event.target.blur();
    const chosen = event.target.matches("select") && event.key !== "?"; // letters choose there
    if (typing || chosen || !Object.hasOwn(actions, event.key)) return;
    if (actions[event.key](event) !== false) event.preventDefault();
  });
}
