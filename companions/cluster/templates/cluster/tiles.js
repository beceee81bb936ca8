// Tiles of pictures, with their copies.
const copyOf = id => document.getElementById(id).content.firstElementChild.cloneNode(true);
function line(kind, text) {
  const element = document.createElement(kind);
  element.textContent = text;
  return element;
}

function tile(picture) {
  const element = copyOf("tile");
  const [file, ...copies] = picture.files;
  const [link, thumbnail] = [element.querySelector("a"), element.querySelector(".thumbnail")];
  const cut = file.name.lastIndexOf("/") + 1;
  showPreview(thumbnail, picture);
  if (file.link) link.href = file.link; else link.tabIndex = 0;
  element.title = file.path;
  link.querySelector(".file").textContent = file.name.slice(cut);
  element.querySelector(".folder").textContent = file.name.slice(0, Math.max(0, cut - 1));
  const [size, weight] = element.querySelectorAll(".facts span");
  [size.textContent, weight.textContent] = [`${picture.width} × ${picture.height}`, bytes(file.size)];
  if (copies.length) element.append(listOfCopies(copies));
  return element;
}

function listOfCopies(copies) {
  const [details, list] = [document.createElement("details"), document.createElement("ul")];
  details.append(line("summary", `and ${copies.length === 1 ? "1 copy" : `${copies.length.toLocaleString("en")} copies`}`), list);
  details.addEventListener("toggle", () => list.append(...copies.map(copy => {
    const item = line("li", copy.link ? "" : copy.name);
    if (copy.link) item.append(Object.assign(line("a", copy.name), { href: copy.link, target: "_blank", rel: "noopener" }));
    item.dir = "auto";
    return item;
  })), { once: true });
  return details;
}
