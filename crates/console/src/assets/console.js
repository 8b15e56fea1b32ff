// Live figures, the end of a session told in time, and buttons that are pressed once. Every page works without it.
"use strict";

(() => {
  const LIVE_HEADER = "lienthong-live";
  const STAY_EVERY_MS = 60000; // A reader who types or reads on is told to the gateway once a minute.
  const WARN_BEFORE_MS = 60000;
  const TIMEOUT_MS = 10000;

  const find = (selector, root = document) => root.querySelector(selector);
  const clock = () => new Date().toLocaleTimeString("vi-VN", { timeZone: "Asia/Ho_Chi_Minh", hour12: false });

  // The reader's focus, selection and what they typed are theirs: such a part waits for the next time.
  const inUse = (part) => {
    if (part.contains(document.activeElement)) return true;
    if (find("form[data-sent]", part)) return true;
    const isChanged = (field) => ["checkbox", "radio"].includes(field.type)
      ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
    if ([...part.querySelectorAll("input, textarea")].some(isChanged)) return true;
    const selection = document.getSelection();
    return Boolean(selection && !selection.isCollapsed && selection.rangeCount > 0 && selection.getRangeAt(0).intersectsNode(part));
  };

  // Details stay as the reader left them. Known by their summary, as there may be more or fewer of them now; a summary
  // with figures in it is another one each time, so where their number is the same their place will do.
  const keepOpen = (from, to) => {
    const [former, next] = [from, to].map((root) => [...root.querySelectorAll("details")]);
    // Several may have the same summary, as the tables of charts do: the first, the second and so on of that name.
    const named = (all) => {
      const met = new Map();
      return all.map((details) => {
        const text = find("summary", details)?.textContent.trim() ?? "";
        met.set(text, (met.get(text) ?? 0) + 1);
        return `${text} ${met.get(text)}`;
      });
    };
    const known = new Map(named(former).map((name, index) => [name, former[index].open]));
    named(next).forEach((name, index) => {
      const inPlace = former.length === next.length ? former[index].open : next[index].open;
      next[index].open = known.get(name) ?? inPlace;
    });
  };

  const announcer = find("[data-announcer]");
  const announce = (before, after) => {
    const said = (root) => [...root.querySelectorAll("[data-announce]")].map((part) => part.textContent.trim());
    const known = new Set(said(before));
    const fresh = said(after).filter((text) => text && !known.has(text));
    if (announcer && fresh.length > 0) announcer.textContent = fresh.join(". ");
  };

  const replace = (page) => {
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = find(`[data-live="${CSS.escape(part.dataset.live)}"]`, page);
      if (!next || inUse(part)) continue;
      const fresh = document.importNode(next, true);
      keepOpen(part, fresh);
      if (part.innerHTML === fresh.innerHTML) continue;
      announce(part, fresh);
      part.replaceWith(fresh);
    }
  };

  const over = () => {
    const notice = find("[data-over]");
    if (notice) notice.hidden = false;
    const idle = find("[data-idle]");
    if (idle) idle.hidden = true;
  };

  const state = find("[data-live-state]");
  let freshAt = clock();
  const tell = (isFresh) => {
    if (!state) return;
    if (isFresh) freshAt = clock();
    state.hidden = false;
    state.toggleAttribute("data-is-stale", !isFresh);
    state.textContent = `${isFresh ? state.dataset.fresh : state.dataset.stale} ${freshAt}`;
  };

  // Resolves to false when there is nothing more to ask.
  const look = async () => {
    if (document.hidden) return true;
    try {
      const answer = await fetch(location.href.split("#")[0], {
        headers: { [LIVE_HEADER]: "1" }, credentials: "same-origin", cache: "no-store", redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (answer.status === 401 || answer.status === 423) { over(); return false; }
      if (!answer.ok) { tell(false); return true; }
      replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
      tell(true);
    } catch {
      tell(false);
    }
    return true;
  };

  const live = () => {
    if (!find("[data-live]")) return;
    const every = Number(document.body.dataset.liveSeconds || "2") * 1000;
    const again = async () => { if (await look()) setTimeout(again, every); };
    setTimeout(again, every);
  };

  const idle = () => {
    const notice = find("[data-idle]");
    if (!notice) return;
    const lasts = Number(notice.dataset.idleSeconds) * 1000;
    let toldAt = Date.now();
    let usedAt = toldAt;
    const stay = async () => {
      toldAt = Date.now();
      usedAt = toldAt;
      notice.hidden = true;
      try {
        const answer = await fetch("/stay", {
          method: "POST", credentials: "same-origin", redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS),
          body: new URLSearchParams({ csrf: notice.dataset.csrf }),
        });
        if (!answer.ok) over();
      } catch {
        tell(false);
      }
    };
    const used = () => {
      usedAt = Date.now();
      if (notice.hidden && usedAt - toldAt > STAY_EVERY_MS) stay();
    };
    for (const kind of ["keydown", "pointerdown", "scroll"]) addEventListener(kind, used, { passive: true, capture: true });
    find("[data-stay]", notice).addEventListener("click", stay);
    setInterval(() => {
      const left = lasts - (Date.now() - toldAt);
      if (left <= 0) over();
      else if (left <= WARN_BEFORE_MS && notice.hidden && find("[data-over]").hidden) notice.hidden = false;
    }, 1000);
  };

  const pressedOnce = () => {
    addEventListener("submit", (event) => {
      const form = event.target;
      if (form.method !== "post") return;
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "1";
      for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
    });
    // Back to this page by the browser's button: the form may be sent again.
    addEventListener("pageshow", () => {
      for (const form of document.querySelectorAll("form[data-sent]")) {
        delete form.dataset.sent;
        for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
      }
    });
  };

  live();
  idle();
  pressedOnce();
})();
