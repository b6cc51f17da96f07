// Clips side by side in a grid that fits the window: a sweep with its values as headings, or the selected clips.
// All visible clips play in sync.

const compare = (() => {
  const dialog = byId("compare");
  const table = byId("compare-table");
  const at = byId("compare-at");
  const narrow = matchMedia("(max-width: 40rem)"); // there row headings are above their rows, and the table scrolls
  const least = () => (narrow.matches ? 112 : 80); // minimum width of a picture in pixels; below that the table scrolls
  const APART = 0.12; // seconds that a clip may be ahead or behind
  let tiles = [];
  let rows = [];
  let columns = [];
  let names = [];
  let title = "";
  let zoomed = null;
  let playing = false;
  let moment = 0;
  let ticked = 0;

  const visible = () => tiles.filter((tile) => (zoomed ? tile === zoomed : tile.seen));
  const longest = () => Math.max(0.1, ...visible().map(({ video, clip }) => video.duration || clip.seconds || 0));

  // The last field of a sweep gives the columns, the others give the rows.
  const said = (values, from) => values.map((value, place) => `${names[from + place] || ""} ${value}`.trim()).join(", ");
  const everything = (clip) => (clip.values && names.length ? said(clip.values, 0) : clip.prompt.slice(0, 80));
  const row = (clip) => said(clip.values.slice(0, -1), 0);
  const column = (clip) => said(clip.values.slice(-1), clip.values.length - 1);
  const arrange = (members, fields) => {
    const all = members.every((clip) => clip.values);
    const places = all ? new Set(members.map((clip) => JSON.stringify(clip.values))) : new Set();
    if (!all || fields.length < 2 || places.size < members.length) return [[], []];
    return [[...new Set(members.map(row))], [...new Set(members.map(column))]];
  };

  const heading = (words, kind) => {
    const made = document.createElement("div");
    made.className = kind;
    made.dir = "auto";
    made.textContent = words;
    return made;
  };
  const tileOf = (clip, caption) => {
    const box = document.createElement("figure");
    box.className = "tile";
    const video = document.createElement("video");
    const tile = { clip, box, video, seen: true };
    if (clip.src) {
      Object.assign(video, { muted: true, playsInline: true, preload: "auto", poster: clip.video.poster, src: clip.src, className: clip.video.className });
      const zoom = document.createElement("button");
      zoom.type = "button";
      zoom.className = "zoom";
      zoom.setAttribute("aria-label", `Show only: ${everything(clip)}`);
      zoom.addEventListener("click", () => focusOn(zoomed ? null : tile));
      box.append(video, zoom);
    } else {
      box.append(heading(clip.word, "lack"));
    }
    const words = heading(caption, "caption");
    words.hidden = !caption;
    box.append(words);
    return tile;
  };

  // The largest pictures at which everything fits into the window.
  const fit = () => {
    const shape = parseFloat(getComputedStyle(byId("main")).getPropertyValue("--ratio")) || 16 / 9;
    const space = table.getBoundingClientRect();
    const gap = 8;
    const side = rows.length && !narrow.matches ? Math.min(150, space.width * 0.18) : 0;
    const top = columns.length ? 30 : 0;
    const under = tiles.some((tile) => !tile.box.querySelector(".caption").hidden) ? 26 : 0;
    const width = (across) => {
      const down = rows.length || Math.ceil(tiles.length / across);
      const wide = (space.width - side - gap * across) / across;
      const high = (space.height - top - gap * (down + 1)) / down - under;
      return rows.length && narrow.matches ? wide : Math.min(wide, high * shape);
    };
    let across = columns.length;
    if (!across) {
      across = 1;
      for (let tried = 2; tried <= tiles.length; tried += 1) if (width(tried) > width(across)) across = tried;
    }
    const size = Math.floor(zoomed ? Math.min(space.width - gap, (space.height - under - gap) * shape) : Math.max(least(), width(across)));
    table.style.setProperty("--tile", `${size}px`);
    table.style.setProperty("--side", `${Math.floor(side)}px`);
    table.style.setProperty("--across", zoomed ? 1 : across);
  };

  const draw = () => {
    if (rows.length) {
      const find = (line, head) => tiles.find(({ clip }) => row(clip) === line && column(clip) === head);
      table.replaceChildren(heading("", "corner"), ...columns.map((words) => heading(words, "top")),
        ...rows.flatMap((line) => [heading(line, "side"), ...columns.map((head) => {
          const tile = find(line, head);
          return tile ? tile.box : heading("", "lack");
        })]));
    } else {
      table.replaceChildren(...tiles.map((tile) => tile.box));
    }
    fit();
  };

  const focusOn = (tile) => {
    zoomed = tile;
    dialog.classList.toggle("alone", Boolean(tile));
    tiles.forEach((one) => one.box.classList.toggle("chosen", one === tile));
    entitle(tile ? everything(tile.clip) : title);
    byId("compare-all").hidden = !tile;
    fit();
    set(moment);
    if (playing) play();
  };

  const set = (seconds) => {
    moment = Math.max(0, Math.min(seconds, longest()));
    visible().forEach(({ video }) => { video.currentTime = Math.min(moment, (video.duration || moment) - 0.01); });
    show();
  };
  const show = () => {
    at.max = longest();
    at.value = moment;
    byId("compare-time").textContent = `${moment.toFixed(1)} s`;
    byId("compare-play").textContent = playing ? "Pause" : "Play";
  };
  const pause = () => {
    playing = false;
    tiles.forEach(({ video }) => video.pause());
    show();
  };
  const play = () => {
    playing = true;
    ticked = performance.now();
    if (moment >= longest() - 0.05) set(0);
    requestAnimationFrame(step);
    show();
  };
  // One clock leads. A clip that is off is moved to the right time.
  const step = (now) => {
    if (!playing || !dialog.open) return;
    const waiting = visible().some(({ video }) => video.src && video.readyState < 2 && !video.error);
    if (!waiting) moment += Math.min(0.1, Math.max(0, now - ticked) / 1000);
    ticked = now;
    if (moment >= longest()) {
      if (!byId("compare-loop").checked) { moment = longest(); pause(); return; }
      set(0);
    }
    const seen = new Set(visible());
    tiles.forEach((tile) => {
      const { video } = tile;
      const ended = moment >= (video.duration || Infinity);
      if (!seen.has(tile) || waiting || ended) { video.pause(); return; }
      if (Math.abs(video.currentTime - moment) > APART) video.currentTime = moment;
      if (video.paused) video.play().catch(() => {});
    });
    show();
    requestAnimationFrame(step);
  };

  const watcher = new IntersectionObserver((entries) => entries.forEach((entry) => {
    const tile = tiles.find((one) => one.box === entry.target);
    if (tile) tile.seen = entry.isIntersecting;
  }), { root: table, threshold: 0.3 });

  const entitle = (words) => { byId("compare-title").textContent = words; };
  const open = (what, members, fields) => {
    preview.stop();
    title = [what, fields.join(" × ")].filter(Boolean).join(": ");
    names = fields;
    [rows, columns] = arrange(members, fields);
    zoomed = null;
    moment = 0;
    const caption = (clip) => (rows.length ? "" : everything(clip));
    tiles = members.map((clip) => tileOf(clip, caption(clip)));
    entitle(title);
    dialog.classList.remove("alone");
    byId("compare-all").hidden = true;
    if (!dialog.open) dialog.showModal();
    draw();
    watcher.disconnect();
    tiles.forEach(({ box }) => watcher.observe(box));
    pause();
    byId("compare-play").focus();
  };

  byId("compare-play").addEventListener("click", () => (playing ? pause() : play()));
  byId("compare-all").addEventListener("click", () => focusOn(null));
  at.addEventListener("input", () => set(Number(at.value)));
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.target.closest("button, input")) return;
    event.preventDefault();
    if (playing) pause(); else play();
  });
  // Esc leaves the single clip first.
  dialog.addEventListener("cancel", (event) => {
    if (!zoomed) return;
    event.preventDefault();
    focusOn(null);
  });
  dialog.addEventListener("close", () => {
    if (dialog.open) return; // opened again meanwhile
    pause();
    watcher.disconnect();
    tiles.forEach(({ video }) => { video.removeAttribute("src"); video.load(); });
    tiles = [];
    table.replaceChildren();
  });
  addEventListener("resize", () => dialog.open && fit());

  document.querySelectorAll("[data-sweep]").forEach((sweep) => {
    const button = sweep.querySelector(".together");
    const { title, fields } = page.sweeps[sweep.dataset.sweep];
    const members = clips.filter((clip) => sweep.contains(clip.card));
    button.hidden = members.filter((clip) => clip.src).length < 2;
    button.addEventListener("click", () => open(title, members, fields));
  });
  return { open };
})();
