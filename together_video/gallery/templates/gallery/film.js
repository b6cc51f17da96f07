// The film at the top and its shots: highlights the shot that is playing, and plays from a shot.

(() => {
  const film = byId("film");
  const shots = [...document.querySelectorAll("section.shot")].map((section) => ({ section, ...page.sweeps[section.dataset.sweep] }));

  shots.forEach(({ section, start, retake }) => {
    const seek = section.querySelector(".seek");
    seek.hidden = !film;
    seek.addEventListener("click", () => {
      film.currentTime = start;
      film.play().catch(() => {});
      film.scrollIntoView({ block: "nearest" });
    });
    const button = section.querySelector(".retake");
    button.hidden = !retake;
    button.addEventListener("click", async () => {
      tell((await copyText(retake)) ? `Copied: ${retake}` : "This browser does not let the page copy.");
    });
  });
  if (!film) return;
  const show = () => {
    const at = film.currentTime + 0.01;
    const here = shots.filter(({ start }) => start <= at).pop();
    shots.forEach((shot) => shot.section.classList.toggle("playing", shot === here && !film.paused));
  };
  ["timeupdate", "seeked", "play", "pause", "ended"].forEach((name) => film.addEventListener(name, show));
})();
