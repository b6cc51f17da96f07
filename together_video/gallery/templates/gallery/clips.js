"use strict";
// The clips of the page: each with its card, and what the page knows about it.

const byId = (id) => document.getElementById(id);
const page = JSON.parse(byId("data").textContent);

const clips = [...document.querySelectorAll("article.card")].map((card, index) => {
  const video = card.querySelector("video");
  return {
    labels: {}, note: "", mark: null, ready: false, ...page.clips[index],
    index, card, video, home: card.parentElement,
    src: video ? video.getAttribute("src") : null,
    prompt: (card.querySelector(".whole.prompt p") || card.querySelector("h2:not(.untitled)") || { textContent: "" }).textContent,
    request: (card.querySelector(".more pre") || { textContent: "" }).textContent,
    redo: (card.querySelector("a.redo") || { href: "" }).href,
    problem: !card.classList.contains("ready") || Boolean(card.querySelector(".notes")),
    text: card.textContent.toLowerCase(),
  };
});

const clipOf = (element) => {
  const card = element && element.closest ? element.closest("article.card") : null;
  return card ? clips.find((clip) => clip.card === card) : undefined;
};

const address = (clip) => new URL(clip.src, location.href).href;

const counted = (number, one) => `${number} ${one}${number === 1 ? "" : "s"}`;

const length = (seconds) =>
  seconds < 60
    ? `${Math.round(seconds * 10) / 10} s`
    : `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")} min`;

// With two to four decimals, like the amounts on the cards.
const usd = (amount) => `${amount.toFixed(4).replace(/0{1,2}$/, "")} USD`;

// Number of clips, length, and what was paid or may still have to be paid, in words.
const totals = (some) => {
  const sum = (field) => some.reduce((total, clip) => total + (clip[field] || 0), 0);
  const parts = [counted(some.length, "clip")];
  if (sum("seconds")) parts.push(length(sum("seconds")));
  if (sum("cost")) parts.push(`${usd(sum("cost"))} paid`);
  if (sum("unsure")) parts.push(sum("cost") ? `up to ${usd(sum("unsure"))} more` : `perhaps ${usd(sum("unsure"))}`);
  return parts.join(" · ");
};

// A clip's prompt on one line, for a message.
const brief = (clip) => {
  const words = (clip.prompt || clip.model).replace(/\s+/g, " ");
  return words.length > 60 ? `${words.slice(0, 59).trimEnd()}…` : words;
};

// A line at the foot of the window, or in the dialog that covers it.
let toldUntil;
const tell = (words) => {
  const line = byId("told");
  (document.querySelector("dialog[open]") || document.body).append(line);
  line.textContent = words;
  line.hidden = false;
  clearTimeout(toldUntil);
  toldUntil = setTimeout(() => { line.hidden = true; }, 5000);
};

// Save a file for the user. The Blob's address is revoked after the browser had time to read it.
const saveAs = (name, blob) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
};

document.querySelectorAll("dialog").forEach((dialog) => {
  dialog.querySelectorAll(".close").forEach((button) => button.addEventListener("click", () => dialog.close()));
  // A click outside the dialog closes it, as people expect.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
});
