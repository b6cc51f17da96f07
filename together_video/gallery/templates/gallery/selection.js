// The selected clips: compare them, or save them as a playlist, as one zip file, or one by one.

const selection = (() => {
  const MOST = 500e6; // bytes of one zip file: it passes through the browser's memory
  const MOST_COMPARED = 16;
  const picked = new Set();
  const boxes = new Map(clips.map((clip) => [clip, clip.card.querySelector(".pick input")]));
  const served = ["http:", "https:"].includes(location.protocol);
  let last = null;
  let busy = false;

  const chosen = () => clips.filter((clip) => picked.has(clip));
  const files = () => chosen().filter((clip) => clip.src);
  const size = () => files().reduce((total, clip) => total + (clip.size || 0), 0);
  const words = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`);

  const show = (why) => {
    byId("picked").hidden = picked.size === 0;
    document.body.classList.toggle("picking", picked.size > 0);
    byId("picked-what").textContent = `${totals(chosen())}${size() ? ` · ${words(size())}` : ""}`;
    byId("pick-zip").hidden = !served;
    byId("pick-zip").disabled = busy || files().length === 0 || size() > MOST;
    byId("pick-m3u").disabled = byId("pick-each").disabled = files().length === 0;
    byId("pick-compare").hidden = files().length < 2 || files().length > MOST_COMPARED;
    byId("picked-why").textContent = why || (!served
      ? "This page was opened from a disk, where a browser may not read files for a zip."
      : size() > MOST ? `A zip can hold up to ${words(MOST)}. Select fewer clips, or save a playlist.` : "");
    clips.forEach((clip) => {
      boxes.get(clip).checked = picked.has(clip);
      clip.card.classList.toggle("picked", picked.has(clip));
    });
  };
  const pick = (clip, isPicked, range) => {
    const all = sifting.shown();
    const [from, to] = [all.indexOf(last), all.indexOf(clip)].sort((a, b) => a - b);
    const some = range && from >= 0 ? all.slice(from, to + 1) : [clip];
    some.forEach((one) => (isPicked ? picked.add(one) : picked.delete(one)));
    last = clip;
    show();
  };
  boxes.forEach((box, clip) => box.addEventListener("click", (event) => pick(clip, box.checked, event.shiftKey)));

  // Absolute addresses, so the playlist works in any folder.
  const playlist = () => ["#EXTM3U", ...files().flatMap((clip) => [
    `#EXTINF:${Math.round(clip.seconds || -1)},${(clip.prompt || clip.model).replace(/\s+/g, " ").slice(0, 120)}`, address(clip)]), ""].join("\n");

  // Why a file cannot be read, in a viewer's words. S3 answers an expired link with 403.
  const refusals = { 400: "its link has expired", 401: "its link has expired", 403: "its link has expired", 404: "it no longer exists", 410: "it no longer exists" };
  const read = async (file, state) => {
    const answer = await fetch(file.url, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(refusals[answer.status] || `the server answered ${answer.status}`);
    const reader = answer.body.getReader();
    const chunks = [];
    let size = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      // The sizes on the page may be wrong.
      if (state.read + size > MOST) { await reader.cancel(); throw new RangeError(`The files are larger than ${words(MOST)}. Select fewer clips.`); }
      chunks.push(value);
    }
    state.read += size;
    return chunks;
  };
  // A clip that cannot be read is left out and named at the end. If the first three all fail, so will the rest.
  const readOrSkip = async (file, state) => {
    try {
      return await read(file, state);
    } catch (error) {
      if (error instanceof RangeError) throw error;
      state.lost.push({ file, why: error instanceof TypeError ? "this browser cannot read it from here" : error.message });
      if (state.lost.length === 3 && !state.read) throw error;
      return null;
    } finally {
      state.tried += 1;
      show(`Reading ${state.tried} of ${state.count} …`);
    }
  };
  const lack = ([{ file, why }, ...more]) =>
    `“${file.title}”${more.length ? ` and ${more.length} more` : ""} could not be read: ${why}.`;
  const asZip = async () => {
    busy = true;
    const some = files().map((clip) => ({ name: clip.file || `${clip.id}.mp4`, url: address(clip), title: brief(clip) }));
    const state = { read: 0, tried: 0, count: some.length, lost: [] };
    show(`Reading 0 of ${some.length} …`);
    let said;
    try {
      const made = await zip.make(some, (file) => readOrSkip(file, state));
      const { lost } = state;
      if (lost.length < some.length) saveAs(`${page.batch || "videos"}.zip`, made);
      if (lost.length === 0) said = `Saved ${counted(some.length, "clip")}, ${words(made.size)}.`;
      else if (lost.length < some.length) said = `Saved ${some.length - lost.length} of ${counted(some.length, "clip")}, ${words(made.size)}; ${lack(lost)}`;
    } catch (error) {
      if (error instanceof RangeError || !state.lost.length) said = `No zip was made. ${error.message}`;
    }
    busy = false;
    show(said || `No zip was made: ${lack(state.lost)} Download the clips one by one, or ask for a page with new links.`);
  };
  const oneByOne = async () => {
    const some = files();
    for (const [place, clip] of some.entries()) {
      const link = document.createElement("a");
      Object.assign(link, { href: address(clip), download: clip.file || "", target: "_blank", rel: "noopener" });
      document.body.append(link);
      link.click();
      link.remove();
      show(`Downloading ${place + 1} of ${some.length}. The browser may ask you once to allow several files.`);
      await new Promise((done) => setTimeout(done, 400));
    }
  };

  byId("pick-shown").addEventListener("click", () => { sifting.shown().forEach((clip) => picked.add(clip)); show(); });
  byId("pick-none").addEventListener("click", () => { picked.clear(); show(); });
  byId("pick-m3u").addEventListener("click", () => saveAs(`${page.batch || "videos"}.m3u`, new Blob([playlist()], { type: "audio/x-mpegurl" })));
  byId("pick-zip").addEventListener("click", asZip);
  byId("pick-each").addEventListener("click", oneByOne);
  byId("pick-compare").addEventListener("click", () => {
    const some = files();
    const homes = new Set(some.map((clip) => clip.home));
    const sweep = homes.size === 1 ? some[0].home.closest("[data-sweep]") : null;
    const { title, fields } = sweep ? page.sweeps[sweep.dataset.sweep] : { title: "Selected clips", fields: [] };
    compare.open(title, some, fields);
  });
  return { toggle: (clip) => pick(clip, !picked.has(clip), false) };
})();
