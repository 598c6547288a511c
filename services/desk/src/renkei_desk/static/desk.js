// What the pages do by themselves: the live feed, and the keys of the inbox. No page needs it to be read.
"use strict";

(() => {
  const BETWEEN = 300; // milliseconds between two looks at a page
  let looked = 0;
  const live = document.getElementById("live");
  const watched = document.querySelector("[data-after]");
  const title = document.title;
  const notifier = document.getElementById("notify");
  let fresh = 0;
  let pending = 0;
  let chosen = [];

  function say(text, lost) {
    if (live && live.textContent !== text) {
      live.textContent = text;
      live.classList.toggle("lost", lost);
    }
  }

  function entitle() {
    document.title = fresh ? "(" + fresh + ") " + title : title;
  }

  function refresh() {
    // What comes alone is looked at at once, many events of one moment together.
    if (pending) return;
    pending = window.setTimeout(() => {
      pending = 0;
      looked = Date.now();
      htmx.trigger(watched, "renkei-lead");
    }, Math.max(0, looked + BETWEEN - Date.now()));
  }

  // Of what came while nobody looked. It says that something came and never what: it may stand on a locked screen.
  function notify(kind) {
    if (!notifier || !("Notification" in window) || Notification.permission !== "granted") return;
    const words = kind === "ClockWarned" ? notifier.dataset.ofClock : notifier.dataset.ofLead;
    new Notification(title, { body: words, tag: "renkei-" + kind });
  }

  function offerToNotify() {
    if (notifier && "Notification" in window && Notification.permission === "default") notifier.hidden = false;
  }

  function follow() {
    const source = new EventSource("/feed?of=" + (watched.dataset.of || "leads") + "&after=" + encodeURIComponent(watched.dataset.after));
    source.addEventListener("open", () => say(live ? live.dataset.live : "", false));
    source.addEventListener("error", () => {
      say(live ? live.dataset.lost : "", true);
      // A browser gives up where it was answered with an error; the desk may only be starting.
      if (source.readyState === EventSource.CLOSED) window.setTimeout(follow, 2000);
    });
    const told = (event) => {
      watched.dataset.after = event.lastEventId;
      const facts = JSON.parse(event.data);
      if (watched.dataset.watch && watched.dataset.watch !== facts.lead) return;
      if (document.hidden) {
        fresh += 1;
        entitle();
        notify(facts.kind);
      }
      refresh();
    };
    source.addEventListener("lead", told);
    source.addEventListener("arrest", told);
    source.addEventListener("again", (event) => {
      watched.dataset.after = event.lastEventId;
      refresh();
    });
    source.addEventListener("locked", () => {
      source.close();
      window.location.assign("/locked");
    });
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
      fresh = 0;
      entitle();
    }
  });

  function leads() {
    return Array.from(document.querySelectorAll(".lead a"));
  }

  function step(by) {
    const all = leads();
    const here = all.findIndex((link) => link === document.activeElement);
    const next = all[here < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + by, 0), all.length - 1)];
    if (next) next.focus();
  }

  // On the lead that has the focus: choose it, take it, acknowledge it.
  function act(key) {
    const row = document.activeElement && document.activeElement.closest("[data-lead]");
    const found = row && row.querySelector(key === "x" ? "input[name=lead]" : "[data-key=" + key + "]");
    if (found) found.click();
    return found;
  }

  const help = document.getElementById("help");
  const opener = document.getElementById("help-open");
  if (help && opener) opener.addEventListener("click", () => help.showModal());

  document.addEventListener("keydown", (event) => {
    // Never while a Japanese word is being composed, never where somebody writes.
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, dialog[open]")) return;
    if (event.key === "j" || event.key === "J") step(1);
    else if (event.key === "k" || event.key === "K") step(-1);
    else if (/^[taxTAX]$/.test(event.key)) {
      if (!act(event.key.toLowerCase())) return;
    } else if (event.key === "/") window.location.assign("/search");
    else if (event.key === "?" && help) help.showModal();
    else return;
    event.preventDefault();
  });

  // What htmx replaces may have held the focus: it stays with the lead it was on.
  document.addEventListener("htmx:before:swap", () => {
    const row = document.activeElement && document.activeElement.closest("[data-lead]");
    document.body.dataset.focused = row ? row.dataset.lead : "";
    chosen = Array.from(document.querySelectorAll("[data-lead] input:checked"), (box) => box.closest("[data-lead]").dataset.lead);
  });
  document.addEventListener("htmx:after:swap", () => {
    for (const lead of chosen) {
      const box = document.querySelector("#lead-" + CSS.escape(lead) + " input");
      if (box) box.checked = true;
    }
    const row = document.body.dataset.focused && document.getElementById("lead-" + document.body.dataset.focused);
    if (row && !row.contains(document.activeElement)) row.querySelector("a").focus();
  });

  // A page that is asked for again brings its title along.
  document.addEventListener("htmx:finally:swap", entitle);

  if (notifier) {
    notifier.addEventListener("click", () => {
      Notification.requestPermission().then(() => {
        notifier.hidden = true;
      });
    });
  }
  offerToNotify();
  if (watched) follow();
})();
