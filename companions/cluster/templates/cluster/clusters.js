// Shows the clusters that the filters ask for, a part at a time, and lists what nobody keeps.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const by = id => document.getElementById(id);
  const form = document.querySelector("#bar form");
  const outOf = (some, all) => `${some.length < all.length ? `${some.length.toLocaleString("en")} of ` : ""}${all.length.toLocaleString("en")}`;
  const same = text => text.normalize("NFC").toLowerCase();
  const asPicture = readPictures(data);
  const clusters = data.clusters.map((row, place) => {
    const parts = row.parts.map(part => part.map(asPicture));
    const pictures = parts.flat();
    const files = pictures.flatMap(picture => picture.files);
    const names = same([row.name, ...files.map(file => file.name)].join("\n"));
    return { ...row, place, parts, pictures, files, names, picks: new Set(), whole: false };
  });
  const outliers = data.outliers.map(asPicture);

  // Which pictures of a cluster are kept: those picked by hand, or else the best.
  const AS_SHARP = 0.9; // of the sharpest: another size, or a lossy file, makes as much of a difference
  const larger = (one, other) => other.width * other.height - one.width * one.height;
  const heavier = (one, other) => Math.max(...other.files.map(file => file.size)) - Math.max(...one.files.map(file => file.size));
  function best(pictures) {
    const enough = AS_SHARP * Math.max(...pictures.map(picture => picture.sharpness));
    const sharper = (one, other) => Math.min(other.sharpness, enough) - Math.min(one.sharpness, enough);
    const merits = form.keep.value === "sharpest" ? [sharper, larger, heavier] : [larger, heavier, sharper];
    return [...pictures].sort((one, other) => merits.reduce((order, merit) => order || merit(one, other), 0));
  }
  const kept = cluster => cluster.picks.size ? cluster.picks : new Set([best(cluster.pictures)[0]]);

  function pick(cluster, picture) {
    const picks = new Set(kept(cluster));
    if (!picks.delete(picture)) picks.add(picture);
    if (picks.size) cluster.picks = picks; // of each cluster something stays
    mark(cluster);
    count();
  }

  // Groups.
  function group(cluster) {
    const element = cluster.element = copyOf("cluster");
    element.id = cluster.name;
    element.querySelector("h3 .name").textContent = cluster.name;
    if (cluster.link !== null) element.querySelector("h3").append(Object.assign(line("span", "chain"), { className: "badge unsure" }));
    element.querySelector(".about").textContent = about(cluster);
    element.querySelector(".all").addEventListener("click", () => { cluster.whole = true; fill(cluster); });
    fill(cluster);
    return element;
  }

  function about(cluster) {
    const [pictures, files] = [cluster.pictures.length, cluster.files.length];
    if (pictures === 1) return `1 picture in ${words(files, "file")}: copies`;
    const held = `${words(pictures, "picture")}${files > pictures ? ` in ${words(files, "file")}` : ""}`;
    return `${held} · weakest link ${three(cluster.weakest)} · diameter ${three(cluster.diameter)}`;
  }

  function fill(cluster) {
    const { element, parts } = cluster;
    const most = cluster.whole ? Infinity : data.most_shown / parts.length;
    const lists = parts.map(part => {
      const list = Object.assign(document.createElement("ul"), { className: "tiles" });
      const linked = cluster.link === null ? [] : part.slice(0, 1); // at the link, whatever is better
      const shown = [...linked, ...best(part.slice(linked.length))].slice(0, most);
      list.append(...shown.map(picture => tileIn(cluster, picture, linked.includes(picture))));
      list.style.setProperty("--tiles", shown.length);
      return list;
    });
    element.style.setProperty("--tiles", Math.max(...lists.map(list => list.children.length)));
    if (lists.length > 1) lists.splice(1, 0, Object.assign(line("p", `${three(cluster.link)}: only these two join both sides`), { className: "link unsure" }));
    element.querySelector(".parts").replaceChildren(...lists);
    const more = element.querySelector(".all");
    more.hidden = element.querySelectorAll(".tiles > li").length === cluster.pictures.length;
    more.textContent = `Show all ${cluster.pictures.length.toLocaleString("en")}`;
    mark(cluster);
  }

  function tileIn(cluster, picture, linked) {
    const element = tile(picture);
    element.picture = picture;
    element.classList.toggle("linked", linked);
    element.querySelector(".keep").addEventListener("click", () => pick(cluster, picture));
    return element;
  }

  function mark(cluster) {
    const keeping = form.keep.value ? kept(cluster) : null;
    for (const element of cluster.element?.querySelectorAll(".tiles > li") ?? []) {
      const button = element.querySelector(".keep");
      button.hidden = !keeping;
      button.setAttribute("aria-pressed", Boolean(keeping?.has(element.picture)));
      element.classList.toggle("other", Boolean(keeping) && !keeping.has(element.picture));
    }
  }

  // Filters, and a part of what they leave.
  let matching = [], alone = [], shownClusters = 0, shownOutliers = 0;
  const orders = {
    files: (one, other) => one.place - other.place,
    weakest: (one, other) => one.weakest - other.weakest || one.place - other.place,
    diameter: (one, other) => other.diameter - one.diameter || one.place - other.place,
  };

  function filter() {
    const part = same(form.find.value.trim());
    const [least, most = Infinity] = form.files.value.split("-").map(Number);
    const wanted = { "": () => true, only: cluster => cluster.link !== null, without: cluster => cluster.link === null }[form.chains.value];
    matching = clusters.filter(cluster => cluster.files.length >= least && cluster.files.length <= most && wanted(cluster) && cluster.names.includes(part));
    matching.sort(orders[form.order.value]);
    alone = outliers.filter(picture => picture.files.some(file => same(file.name).includes(part)));
    by("matching").textContent = outOf(matching, clusters);
    by("nothing").hidden = matching.length > 0;
    if (by("outliers")) by("matching-outliers").textContent = outOf(alone, outliers);
    [shownClusters, shownOutliers] = [0, 0];
    by("groups").replaceChildren();
    by("alone")?.replaceChildren();
    moreClusters();
    if (by("outliers")) moreOutliers();
    count();
  }

  function keepOthers() {
    matching.slice(0, shownClusters).forEach(fill);
    count();
  }

  function moreClusters() {
    const added = matching.slice(shownClusters, shownClusters += data.at_once);
    by("groups").append(...added.map(group));
    more(by("more-clusters"), matching.length - shownClusters, data.at_once, "cluster");
  }

  function moreOutliers() {
    const atOnce = 2 * data.at_once;
    by("alone").append(...alone.slice(shownOutliers, shownOutliers += atOnce).map(tile));
    more(by("more-outliers"), alone.length - shownOutliers, atOnce, "picture");
  }

  function more(button, left, atOnce, name) {
    button.hidden = left <= 0;
    button.textContent = left > atOnce ? `Show ${atOnce} more of ${words(left, name)}` : `Show ${left === 1 ? `the last ${name}` : `the last ${words(left, name)}`}`;
  }

  // What is not kept of the clusters that the filters leave.
  function others() {
    return matching.flatMap(cluster => {
      const keeping = kept(cluster);
      return cluster.pictures.flatMap(picture => keeping.has(picture) ? picture.files.slice(1) : picture.files);
    });
  }
  const listable = file => !file.archived && !file.odd;

  function count() {
    by("kept").hidden = !form.keep.value;
    if (!form.keep.value) return;
    const left = others();
    const listed = left.filter(listable);
    const archived = left.filter(file => file.archived).length;
    const odd = left.length - listed.length - archived;
    const all = matching.reduce((sum, cluster) => sum + cluster.files.length, 0);
    const size = listed.reduce((sum, file) => sum + file.size, 0);
    by("kept-line").textContent = `Of ${words(matching.length, "cluster")} ${words(all - left.length, "file")} ${all - left.length === 1 ? "is" : "are"} kept; the others: ${words(listed.length, "file")}, ${bytes(size)}`;
    by("kept-note").textContent = [
      archived ? `${words(archived, "file")} in archives not listed` : "",
      odd ? `${words(odd, "name")} that no list can hold` : "",
    ].filter(Boolean).join("; ");
  }

  const asLines = () => others().filter(listable).map(file => `${file.path}\n`).join("");

  function showList() {
    if (!form.keep.value) return;
    by("list-note").textContent = `${by("kept-line").textContent}. Paths are as they were given to the run, a line each. Nothing is deleted here.`;
    by("list-text").value = asLines();
    by("list-said").textContent = "";
    by("list").showModal();
    by("list-text").scrollTop = 0;
  }

  async function copyList() {
    const text = by("list-text");
    try {
      await navigator.clipboard.writeText(text.value);
    } catch { // not every browser lets a page from disk have it
      text.select();
      document.execCommand("copy");
    }
    by("list-said").textContent = "copied";
  }

  function saveList() {
    const address = URL.createObjectURL(new Blob([by("list-text").value], { type: "text/plain" }));
    Object.assign(document.createElement("a"), { href: address, download: "others.txt" }).click();
    URL.revokeObjectURL(address);
  }

  // Keys.
  const groups = () => [...by("groups").children];
  const current = () => document.activeElement.closest?.(".group");
  function step(by_) {
    const [here, all] = [current(), groups()];
    let place = here ? all.indexOf(here) + by_ : all.findIndex(element => element.getBoundingClientRect().bottom > 150);
    if (place >= all.length && !by("more-clusters").hidden) moreClusters();
    const next = groups()[Math.max(0, place)];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "start" });
  }
  function beside(by_) {
    const here = document.activeElement.closest?.(".tiles > li");
    const within = here?.closest(".group, #outliers") ?? current();
    if (!within) return false;
    const tiles = [...within.querySelectorAll(".tiles > li")];
    const next = tiles[here ? tiles.indexOf(here) + by_ : 0];
    next?.querySelector("a").focus();
  }
  function pickHere() {
    const button = document.activeElement.closest?.(".tiles > li")?.querySelector(".keep:not([hidden])");
    button?.click();
  }
  function nextChoice(select) {
    select.selectedIndex = (select.selectedIndex + 1) % select.options.length;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }
  onKeys({
    "?": () => by("keys").showModal(),
    "/": () => { form.find.focus(); form.find.select(); },
    n: () => step(1), p: () => step(-1),
    ArrowRight: () => beside(1), ArrowLeft: () => beside(-1),
    k: pickHere, l: showList,
    b: () => nextChoice(form.keep),
    c: () => { if (!form.chains.closest("label").hidden) nextChoice(form.chains); },
    o: () => { by("outliers")?.focus(); by("outliers")?.scrollIntoView(); },
  });

  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("change", event => event.target === form.keep ? keepOthers() : filter());
  form.find.addEventListener("input", filter);
  by("more-clusters").addEventListener("click", moreClusters);
  by("more-outliers")?.addEventListener("click", moreOutliers);
  by("show-keys").addEventListener("click", () => by("keys").showModal());
  by("show-list").addEventListener("click", showList);
  by("copy-list").addEventListener("click", copyList);
  by("save-list").addEventListener("click", saveList);
  addEventListener("beforeunload", event => { if (clusters.some(cluster => cluster.picks.size)) event.preventDefault(); });
  by("bar").hidden = false;
  filter();
})();
