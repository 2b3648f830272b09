"use strict";
(() => {
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];

  // Theme: as the system has it, or as chosen; the choice lasts as long as the page is open.
  const theme = document.getElementById("theme");
  const themes = ["auto", "light", "dark"];
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(theme.lastElementChild.textContent) + 1) % 3];
    theme.lastElementChild.textContent = next;
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
  });

  // Each task: which axis its curves are drawn over, and which algorithms are shown.
  for (const part of all("[data-charts]")) {
    for (const button of all("[data-over]", part)) {
      button.addEventListener("click", () => {
        for (const other of all("[data-over]", part)) {
          other.setAttribute("aria-pressed", String(other === button));
        }
        for (const drawing of all("[data-axis]", part)) {
          drawing.hidden = drawing.dataset.axis !== button.dataset.over;
        }
      });
    }
    for (const chip of all("[data-toggle]", part)) {
      chip.addEventListener("click", () => {
        const shown = chip.getAttribute("aria-pressed") !== "true";
        chip.setAttribute("aria-pressed", String(shown));
        for (const shape of all("[data-algo]", part)) {
          if (shape.dataset.algo === chip.dataset.toggle) shape.style.display = shown ? "" : "none";
        }
      });
    }
  }

  // Tables are sorted by the head that is pressed; pressed again, the other way round.
  for (const button of all(".sort")) {
    button.addEventListener("click", () => {
      const head = button.closest("th");
      const row = head.parentElement;
      const column = [...row.children].indexOf(head);
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of row.children) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = head.closest("table").tBodies[0];
      const value = (line) => {
        const cell = line.children[column];
        const text = cell.dataset.value === "" ? cell.textContent : cell.dataset.value;
        if (text === "inf") return Infinity;
        if (text === "-inf") return -Infinity;
        return text.trim() !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
      };
      const compare = (a, b) => {
        const [x, y] = [value(a), value(b)];
        if (typeof x === "number" && typeof y === "number") return x < y ? -1 : x > y ? 1 : 0;
        return String(x).localeCompare(String(y));
      };
      const lines = [...body.rows].sort((a, b) => (down ? compare(b, a) : compare(a, b)));
      body.append(...lines);
    });
  }

  // What a point stands for, beside the pointer or the finger.
  const tip = document.getElementById("tip");
  const say = (event) => {
    const said = event.target.closest && event.target.closest("[data-tip]");
    tip.hidden = !said;
    if (!said) return;
    tip.textContent = said.dataset.tip;
    const { width, height } = tip.getBoundingClientRect();
    const left = Math.min(event.clientX + 14, window.innerWidth - width - 8);
    tip.style.left = `${Math.max(8, left)}px`;
    const above = event.clientY - height - 14;
    tip.style.top = `${above > 8 ? above : event.clientY + 18}px`;
  };
  document.addEventListener("pointermove", say);
  document.addEventListener("pointerdown", say);
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

  // A command into the clipboard; where the browser forbids it, or does not answer (it may wait
  // for a permission that nobody gives), it is selected instead.
  for (const button of all(".copy")) {
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      try {
        const unanswered = new Promise((_, reject) => setTimeout(reject, 1000));
        await Promise.race([navigator.clipboard.writeText(code.textContent), unanswered]);
        button.textContent = "copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "selected";
      }
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
  }

  // Some browsers do not play a video from a data address: give them the same bytes as a blob.
  for (const video of all("video")) {
    video.addEventListener("error", () => {
      if (!video.src.startsWith("data:")) return;
      const [head, data] = video.src.split(",");
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      const kind = head.slice(5, head.indexOf(";"));
      video.src = URL.createObjectURL(new Blob([bytes], { type: kind }));
    }, { once: true });
  }
})();
