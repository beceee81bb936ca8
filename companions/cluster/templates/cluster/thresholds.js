// Moves along the curves, and shows the pairs on both sides of the threshold.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const by = id => document.getElementById(id);
  const slider = by("threshold");
  const pictures = data.pictures.map(readPictures(data));
  const pairs = data.pairs.map(([similarity, first, second]) => ({ similarity, sides: [pictures[first], pictures[second]] }));
  const FIGURES = ["pairs", "clusters", "files", "largest"];

  function side(picture) {
    const element = by("side").content.firstElementChild.cloneNode(true);
    const [file] = picture.files;
    if (file.link) element.href = file.link;
    element.title = file.path;
    showPreview(element.querySelector(".thumbnail"), picture);
    element.querySelector(".file").textContent = file.name.slice(file.name.lastIndexOf("/") + 1);
    element.querySelector(".note").textContent = `${picture.width} × ${picture.height}`;
    return element;
  }

  function item(pair) {
    if (!pair.element) {
      pair.element = by("pair").content.firstElementChild.cloneNode(true);
      pair.element.querySelector(".similarity").textContent = three(pair.similarity);
      pair.element.querySelector("div").append(...pair.sides.map(side));
    }
    return pair.element;
  }

  function list(id, some) {
    by(id).replaceChildren(...some.map(item));
    by(id).nextElementSibling.hidden = some.length > 0;
  }

  function show() {
    const threshold = Number(slider.value);
    const step = data.steps[Math.min(data.steps.length - 1, Math.round((threshold - data.low) * 1000))];
    by("value").textContent = three(threshold);
    by("flags").textContent = `--method ${by("flags").dataset.method} --threshold ${threshold}`;
    FIGURES.forEach((figure, place) => { by(figure).textContent = step[place].toLocaleString("en"); });
    for (const cursor of document.querySelectorAll(".cursor")) {
      cursor.style.left = `${100 * (threshold - data.low) / (1 - data.low || 1)}%`;
      cursor.hidden = false;
    }
    const cut = firstFrom(threshold);
    list("above", pairs.slice(cut, cut + data.most_shown));
    list("below", pairs.slice(Math.max(0, cut - data.most_shown), cut).reverse());
  }

  // The place of the first pair that is at least so alike.
  function firstFrom(threshold) {
    const place = pairs.findIndex(pair => pair.similarity >= threshold);
    return place < 0 ? pairs.length : place;
  }

  function move(threshold) {
    slider.value = threshold;
    show();
  }
  // Thresholds are thousandths: one below a pair takes it in, one above it leaves it out.
  function nextBelow() {
    const cut = firstFrom(Number(slider.value));
    if (cut > 0) move(Math.floor(pairs[cut - 1].similarity * 1000) / 1000);
  }
  function nextAbove() {
    const cut = firstFrom(Number(slider.value));
    if (cut < pairs.length) move((Math.floor(pairs[cut].similarity * 1000) + 1) / 1000);
  }
  const along = thousandths => () => move((Math.round(Number(slider.value) * 1000) + thousandths) / 1000);
  onKeys({
    ArrowLeft: along(-1), ArrowRight: along(1), ArrowDown: along(-10), ArrowUp: along(10),
    p: nextBelow, n: nextAbove,
    d: () => move(data.own),
    "?": () => by("keys").showModal(),
  });

  slider.addEventListener("input", show);
  by("choose").addEventListener("submit", event => event.preventDefault());
  by("own").addEventListener("click", () => move(data.own));
  by("show-keys").addEventListener("click", () => by("keys").showModal());
  for (const plot of document.querySelectorAll(".plot")) {
    plot.addEventListener("click", event => {
      const { left, width } = plot.getBoundingClientRect();
      move(data.low + (1 - data.low) * (event.clientX - left) / width);
    });
  }
  by("choose").hidden = by("sides").hidden = false;
  show();
})();
