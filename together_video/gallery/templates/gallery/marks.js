// Marks: star, reject and note of each clip. This browser keeps them at once, by the id of the video, and saves them as
// a file on demand. A mark in the archive shows until this browser sets another one.

const marks = (() => {
  const PLACE = "together-video/mark/";
  const LONGEST = 1000; // characters that the archive accepts, on one line
  const line = (text) => [...text.replace(/\s+/g, " ").trim()].slice(0, LONGEST).join("");
  let works = true;
  const memory = new Map();

  const checked = (text) => {
    try {
      const found = JSON.parse(text);
      const mark = ["star", "reject"].includes(found.mark) ? found.mark : null;
      const note = typeof found.note === "string" ? line(found.note) : "";
      const at = typeof found.at === "string" && /^[\d:.TZ-]{20,30}$/.test(found.at) ? found.at : new Date(0).toISOString();
      return { mark, note, at, over: String(found.over || ""), batch: typeof found.batch === "string" ? found.batch : null };
    } catch { return null; }
  };
  const read = (id) => {
    if (!works) return memory.get(id) || null;
    try {
      const text = localStorage.getItem(PLACE + id);
      return text === null ? null : checked(text);
    } catch { works = false; return null; }
  };
  const write = (id, entry) => {
    memory.set(id, entry);
    try { localStorage.setItem(PLACE + id, JSON.stringify(entry)); } catch { works = false; }
  };

  // The marks in the archive when the page was made.
  const base = new Map(clips.map((clip) => [clip.id, { mark: clip.mark, note: clip.note }]));
  const named = ({ mark, note }) => JSON.stringify([mark, note]);
  // Marks set here win, unless the archive has changed since.
  const own = (clip) => {
    const entry = read(clip.id);
    const there = base.get(clip.id);
    if (!entry || named(entry) === named(there)) return null;
    const isEmpty = named(there) === named({ mark: null, note: "" });
    return isEmpty || entry.over === named(there) || entry.at > page.made_at ? entry : null;
  };

  const show = (clip) => {
    const { mark, note } = own(clip) || base.get(clip.id);
    clip.mark = mark;
    clip.note = note;
    document.querySelectorAll(`[data-marks="${clip.index}"]`).forEach((place) => {
      place.classList.toggle("starred", mark === "star");
      place.classList.toggle("rejected", mark === "reject");
      place.classList.toggle("noted", note !== "");
      place.querySelectorAll("[data-do=star]").forEach((b) => b.setAttribute("aria-pressed", mark === "star"));
      place.querySelectorAll("[data-do=reject]").forEach((b) => b.setAttribute("aria-pressed", mark === "reject"));
      place.querySelectorAll(".said").forEach((line) => { line.textContent = note; line.hidden = note === ""; });
    });
  };
  const count = () => {
    const parts = [
      [clips.filter((clip) => clip.mark === "star").length, "starred"],
      [clips.filter((clip) => clip.mark === "reject").length, "rejected"],
    ].filter(([number]) => number).map(([number, word]) => `${number} ${word}`);
    const notes = clips.filter((clip) => clip.note).length;
    if (notes) parts.push(counted(notes, "note"));
    if (!works) parts.push("This browser cannot keep marks for this page. Save them as a file before you close it.");
    byId("mark-counts").textContent = parts.join(" · ");
    const some = clips.some(own);
    byId("export").hidden = byId("who").parentElement.hidden = !some;
  };
  const listeners = [];
  const refresh = (clip) => { show(clip); count(); listeners.forEach((call) => call(clip)); };

  const set = (clip, change) => {
    const entry = { mark: clip.mark, note: clip.note, ...change, at: new Date().toISOString(), over: named(base.get(clip.id)), batch: page.batch };
    // The same video can be on the page twice.
    write(clip.id, entry);
    clips.filter((other) => other.id === clip.id).forEach(refresh);
  };
  const toggle = (clip, mark) => {
    const taken = clip.mark === mark;
    set(clip, { mark: taken ? null : mark });
    tell(taken ? "Mark removed." : mark === "star" ? "Starred." : "Rejected.");
  };

  const note = (clip) => {
    const dialog = byId("noting");
    const text = dialog.querySelector("textarea");
    text.value = clip.note;
    dialog.querySelector("[value=save]").onclick = () => {
      dialog.close();
      set(clip, { note: line(text.value) });
      tell(clip.note ? "Note saved." : "Note removed.");
    };
    dialog.showModal();
    text.focus();
  };

  // Marks on other pages of this batch are included.
  const all = () => {
    const found = new Map(clips.map((clip) => [clip.id, own(clip)]).filter(([, entry]) => entry));
    if (page.batch && works) {
      for (let place = 0; place < localStorage.length; place += 1) {
        const key = localStorage.key(place);
        const id = key.startsWith(PLACE) ? key.slice(PLACE.length) : "";
        if (!/^[0-9a-f]{24}$/.test(id) || base.has(id)) continue;
        const entry = read(id);
        if (entry && entry.batch === page.batch) found.set(id, entry);
      }
    }
    return found;
  };
  // A cut can leave half of a surrogate pair, which is not valid UTF-8.
  const whole = (text) => (text.toWellFormed ? text.toWellFormed() : text);
  const document_ = () => ({
    review: 1,
    batch: page.batch || null,
    exported_at: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    who: whole(byId("who").value.trim()),
    marks: [...all()].map(([id, entry]) => ({ id, mark: entry.mark, note: whole(entry.note), at: entry.at })),
  });

  byId("export").addEventListener("click", () => {
    const name = `marks-${page.batch || new Date().toISOString().slice(0, 10)}.json`;
    saveAs(name, new Blob([JSON.stringify(document_(), null, 1)], { type: "application/json" }));
    tell(page.cut ? `Saved ${name}. For the next cut: ${page.cut} ${name}` : `Saved ${name}. Send it to the person who manages the archive.`);
  });
  try { byId("who").value = localStorage.getItem("together-video/who") || ""; } catch { works = false; }
  byId("who").addEventListener("change", () => {
    try { localStorage.setItem("together-video/who", byId("who").value); } catch { works = false; }
  });
  // Another tab of this browser has set a mark.
  addEventListener("storage", (event) => {
    if (event.key && event.key.startsWith(PLACE)) clips.filter((clip) => PLACE + clip.id === event.key).forEach(refresh);
  });

  clips.forEach((clip) => { clip.card.dataset.marks = clip.index; });
  return { start: () => { clips.forEach(show); count(); }, show, toggle, note, changed: (call) => listeners.push(call) };
})();
