// Which clips are shown, their order and size, and the next one with a problem.

const sifting = (() => {
  const main = byId("main");
  const flat = byId("flat");
  const search = byId("search");
  const choice = (name) => byId(`by-${name}`);

  // A filter is offered only if it has at least two different values.
  const offer = (name, values, words = (value) => value) => {
    const different = [...new Set(values)];
    choice(name).hidden = different.length < 2;
    different.forEach((value) => choice(name).append(new Option(words(value), value)));
  };
  const labelled = ([name, value]) => `${name}=${value}`;
  offer("state", clips.map((clip) => clip.word));
  offer("model", clips.map((clip) => clip.model));
  const labels = clips.flatMap((clip) => Object.entries(clip.labels).map(labelled)).sort();
  offer("label", labels, (value) => value.replace("=", ": "));
  choice("label").hidden = labels.length === 0;
  [["star", "Starred"], ["reject", "Rejected"], ["note", "With a note"], ["none", "Without a mark"]]
    .forEach(([value, words]) => choice("mark").append(new Option(words, value)));
  choice("mark").hidden = false;

  const fits = (clip) => {
    const { state, model, label, mark } = Object.fromEntries(
      ["state", "model", "label", "mark"].map((name) => [name, choice(name).value]));
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const marked = { "": true, note: clip.note !== "", none: !clip.mark && !clip.note }[mark];
    return (!state || clip.word === state) && (!model || clip.model === model)
      && (!label || Object.entries(clip.labels).map(labelled).includes(label))
      && (marked === undefined ? clip.mark === mark : marked)
      && words.every((word) => clip.text.includes(word) || clip.note.toLowerCase().includes(word));
  };

  const marked = { star: 0, reject: 2 };
  const orders = {
    newest: (a, b) => String(b.made || "").localeCompare(String(a.made || "")),
    cost: (a, b) => (b.cost || 0) - (a.cost || 0),
    seconds: (a, b) => (b.seconds || 0) - (a.seconds || 0),
    model: (a, b) => a.model.localeCompare(b.model),
    mark: (a, b) => (marked[a.mark] ?? 1) - (marked[b.mark] ?? 1),
  };

  let shown = clips;
  const sift = () => {
    const found = new Set(clips.filter(fits));
    clips.forEach((clip) => clip.card.classList.toggle("missed", !found.has(clip)));
    document.querySelectorAll("[data-sweep]").forEach((sweep) => {
      sweep.hidden = !sweep.querySelector(".card:not(.missed)");
    });
    shown = [...document.querySelectorAll("article.card:not(.missed)")].map((card) => clipOf(card));
    byId("shown").textContent = shown.length < clips.length ? `${totals(shown)} of ${clips.length}` : totals(shown);
    byId("none").hidden = shown.length > 0;
  };
  const sort = () => {
    const order = orders[byId("sort").value];
    // Each card returns to its own place, or all move into one grid.
    (order ? [...clips].sort(order) : clips).forEach((clip) => (order ? flat : clip.home).append(clip.card));
    flat.hidden = !order;
    sift();
  };
  const resize = () => {
    main.classList.remove("large", "compact", "sheet");
    main.classList.add(document.querySelector("input[name=density]:checked").value);
  };

  const problems = clips.filter((clip) => clip.problem);
  const next = byId("next-problem");
  next.hidden = problems.length === 0;
  next.querySelector("b").textContent = problems.length;
  const nextProblem = () => {
    const here = shown.indexOf(clipOf(document.activeElement));
    const after = [...shown.slice(here + 1), ...shown.slice(0, here + 1)].find((clip) => clip.problem);
    if (!after) return tell("None of the clips shown has a problem.");
    after.card.focus();
    return after.card.scrollIntoView({ block: "center" });
  };
  // A click would move the focus to the button, but the search starts at the focused clip.
  next.addEventListener("mousedown", (event) => event.preventDefault());
  next.addEventListener("click", nextProblem);

  search.addEventListener("input", sift);
  byId("sort").addEventListener("change", sort);
  ["state", "model", "label", "mark"].forEach((name) => choice(name).addEventListener("change", sift));
  document.querySelectorAll("input[name=density]").forEach((one) => one.addEventListener("change", resize));
  byId("options").open = matchMedia("(min-width: 60rem)").matches;
  byId("bar").hidden = false;
  return { start: sift, shown: () => shown, nextProblem };
})();
