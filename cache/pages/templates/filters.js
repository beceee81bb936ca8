// Shows the groups that have what the filters ask for, counts what is left of each section, and hides sections of which nothing is.
(() => {
  const form = document.querySelector(".bar form");
  const filters = [...form.querySelectorAll("select")];
  const links = [...document.querySelectorAll(".bar nav a")];
  const sections = [...document.querySelectorAll("main section")].map((section, place) => ({
    parts: [section, links[place]], count: section.querySelector(".count"), groups: [...section.querySelectorAll(".group")],
  }));

  function show() {
    let shown = 0;
    for (const { parts, count, groups } of sections) {
      let total = 0;
      for (const group of groups) {
        group.hidden = filters.some(filter => filter.value && group.dataset[filter.name] !== filter.value);
        if (!group.hidden) total += Number(group.dataset.count);
      }
      count.textContent = `${total.toLocaleString("en")} ${count.dataset.unit}${total === 1 ? "" : "s"}`;
      for (const part of parts) part.hidden = !total;
      shown += total;
    }
    document.getElementById("nothing").hidden = shown > 0;
  }

  form.hidden = false;
  form.addEventListener("change", show);
  show(); // a browser may have kept what was chosen before a reload
})();
