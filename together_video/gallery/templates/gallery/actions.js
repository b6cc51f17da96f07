// Actions on one clip: the buttons on its card, the copy menu, and the copying itself.

const copyText = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page served without TLS has no clipboard API.
    const field = document.createElement("textarea");
    field.value = text;
    (document.querySelector("dialog[open]") || document.body).append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }
};

const copies = {
  link: ["the link", (clip) => clip.src && address(clip)],
  prompt: ["the prompt", (clip) => clip.prompt],
  request: ["the request", (clip) => clip.request],
  take: ["the command for another take", (clip) => command(clip, "take")],
  seed: ["the command for a new seed", (clip) => command(clip, "seed")],
  edit: ["the command: edit its prompt before you run it", (clip) => command(clip, "edit")],
};

const command = (clip, which) =>
  clip.command && clip.command[which] !== undefined && [clip.command.start, clip.command[which], clip.command.end].filter(Boolean).join(" ");

const menu = (() => {
  const box = byId("menu");
  let current = null;
  const open = (clip, button) => {
    current = clip;
    box.querySelectorAll("[data-copy]").forEach((item) => { item.hidden = !copies[item.dataset.copy][1](clip); });
    byId("menu-redo").hidden = !clip.redo;
    if (clip.redo) byId("menu-redo").href = clip.redo;
    byId("menu-why").hidden = Boolean(clip.command) || !clip.request;
    // A modal dialog covers everything outside it.
    (document.querySelector("dialog[open]") || document.body).append(box);
    box.showPopover();
    const at = button.getBoundingClientRect();
    const size = box.getBoundingClientRect();
    box.style.left = `${Math.max(8, Math.min(at.left, innerWidth - size.width - 8))}px`;
    box.style.top = `${at.bottom + size.height + 8 < innerHeight ? at.bottom + 4 : Math.max(8, at.top - size.height - 4)}px`;
    const first = [...box.querySelectorAll("button, a")].find((item) => !item.hidden);
    if (first) first.focus();
  };
  box.addEventListener("click", async (event) => {
    const item = event.target.closest("[data-copy]");
    if (!item) return;
    const [words, text] = copies[item.dataset.copy];
    box.hidePopover();
    tell((await copyText(text(current))) ? `Copied ${words}.` : "This browser does not let the page copy.");
  });
  box.addEventListener("keydown", (event) => {
    if (!["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    const items = [...box.querySelectorAll("button, a")].filter((item) => !item.hidden);
    const step = event.key === "ArrowDown" ? 1 : -1;
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  });
  return { open };
})();

const act = {
  star: (clip) => marks.toggle(clip, "star"),
  reject: (clip) => marks.toggle(clip, "reject"),
  note: (clip) => marks.note(clip),
  play: (clip) => lightbox.open(clip),
  menu: (clip, button) => menu.open(clip, button),
};

// Buttons for a clip, for its card and for the lightbox.
const toolsFor = (clip, ...which) => {
  const made = byId("tools").content.cloneNode(true);
  const save = made.querySelector("[data-do=save]");
  const redo = made.querySelector("[data-do=redo]");
  if (clip.src) {
    save.href = address(clip);
    save.download = clip.file || "";
    // Some browsers show a file from a disk or another host instead of saving it.
    save.target = "_blank";
    save.rel = "noopener";
  } else {
    save.remove();
    made.querySelector("[data-do=play]").remove();
  }
  if (clip.redo) redo.href = clip.redo;
  else redo.remove();
  return which.map((name) => made.querySelector(name)).filter(Boolean);
};

// With a mouse the buttons are over the picture. Fingers cannot hover, so there they are in a row below it.
const touch = matchMedia("(pointer: coarse)");
const place = ({ frame, handles }) => { if (touch.matches) frame.after(handles); else frame.append(handles); };
touch.addEventListener("change", () => clips.forEach(place));

clips.forEach((clip) => {
  clip.frame = clip.card.querySelector(".frame");
  clip.handles = document.createElement("div");
  clip.handles.className = "handles";
  clip.handles.append(...toolsFor(clip, ".stamp", ".tools"));
  clip.frame.append(...toolsFor(clip, ".pick"));
  place(clip);
  if (!clip.video) return;
  clip.video.controls = false;
  clip.video.tabIndex = -1;
  clip.video.addEventListener("click", () => act.play(clip));
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (!button || !act[button.dataset.do]) return;
  const clip = clipOf(button) || lightbox.current();
  if (clip) act[button.dataset.do](clip, button);
});
