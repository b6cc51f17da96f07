"use strict";
(() => {
  const cards = [...document.querySelectorAll(".card")];
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const none = document.getElementById("none");
  if (!search) return;
  const texts = cards.map((card) => card.textContent.toLowerCase());

  // The choice of a state is the style sheet's work and needs no script; words and counts are ours.
  const sift = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const state = document.querySelector("input[name=state]:checked").value;
    const seen = cards.filter((card, index) => {
      const hit = words.every((word) => texts[index].includes(word));
      card.classList.toggle("missed", !hit);
      return hit && (state === "all" || card.classList.contains(state));
    });
    const count = seen.length;
    document.querySelectorAll(".sweep").forEach((sweep) => {
      sweep.hidden = !seen.some((card) => sweep.contains(card));
    });
    shown.textContent = count === cards.length ? "" : `${count} of ${cards.length} shown`;
    none.hidden = count > 0;
  };
  search.closest("[hidden]").hidden = false;
  search.addEventListener("input", sift);
  document.querySelectorAll("input[name=state]").forEach((choice) => choice.addEventListener("change", sift));
  sift();

  const videos = [...document.querySelectorAll("video")];
  videos.forEach((video) => {
    // Until it is played a video shows its poster and one large button; without this script the
    // browser's own controls are there from the start.
    const play = video.parentElement.querySelector(".play");
    play.hidden = false;
    video.controls = false;
    play.addEventListener("click", () => {
      video.controls = true;
      play.hidden = true;
      video.focus();
      video.play().catch(() => {});
    });
    video.addEventListener("play", () => {
      // One at a time, but those that were started together.
      const mates = (other) => video.dataset.together && other.dataset.together;
      videos.forEach((other) => other !== video && !mates(other) && other.pause());
    });
    video.addEventListener("pause", () => delete video.dataset.together);
  });

  document.querySelectorAll(".together").forEach((button) => {
    const row = [...button.closest(".sweep").querySelectorAll("video")];
    button.hidden = row.length < 2;
    button.addEventListener("click", () => {
      row.forEach((video) => {
        video.dataset.together = "yes";
        video.muted = true;
        video.currentTime = 0;
        video.parentElement.querySelector(".play").hidden = true;
        video.controls = true;
        video.play().catch(() => {});
      });
    });
  });
})();
