// The page is whole without this. Here it fetches itself again and takes over what has changed.
"use strict";

const PAUSE = 4000;
const PATIENCE = 3500;

function take(fresh) {
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(old.id);
    if (!now || now.outerHTML === old.outerHTML) continue;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    old.className = now.className;
    old.replaceChildren(...now.childNodes);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
  document.title = fresh.title;
}

async function refresh() {
  if (document.hidden) return;
  const lost = document.querySelector(".lost");
  try {
    const answer = await fetch("/", { signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) throw new Error(answer.statusText);
    take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    lost.hidden = true;
  } catch {
    lost.hidden = false;
  }
}

setInterval(refresh, PAUSE);
document.addEventListener("visibilitychange", refresh);
