// What a script adds to the page: it is read again without flicker, searched as one types, and a slider shows any moment.
// All of it is one way: the page of some address is fetched, and what differs from what is shown is changed.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const seconds = () => Math.max(Number($("live").dataset.seconds) || 5, 1);
  const KEPT = { DETAILS: ["open"], HTML: ["class"] };
  const SLOWEST_MS = 120000;
  let fetched = Date.now(), failures = 0, timer = 0, typing = 0, request = null, tag = "", tagged = "";

  // --- Changing what differs

  const keyOf = (node) => (node.nodeType === 1 ? node.id : "");
  const fits = (one, other) =>
    one.nodeType === other.nodeType && one.nodeName === other.nodeName && keyOf(one) === keyOf(other);

  // What somebody is at: what is moved loses focus or selection, so that the others go around it.
  function held(within) {
    if (within.contains(document.activeElement)) return document.activeElement;
    const selection = getSelection();
    return selection.isCollapsed ? null : selection.anchorNode;
  }

  function attributes(old, fresh) {
    const kept = KEPT[old.nodeName] || [];
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !kept.includes(name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value && !kept.includes(name)) old.setAttribute(name, value);
    }
  }

  function change(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== 1) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (old === document.activeElement && /^(INPUT|SELECT)$/.test(old.nodeName)) return;
    attributes(old, fresh);
    children(old, fresh);
    if (old.nodeName === "SELECT") old.value = fresh.value;
    if (old.type === "range") old.value = fresh.getAttribute("value");
  }

  function children(old, fresh) {
    const named = new Map([...old.children].filter((one) => one.id).map((one) => [one.id, one]));
    const still = held(old);
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const known = keyOf(wanted) ? named.get(wanted.id) : null;
      if (known && known.nodeName === wanted.nodeName) {
        while (at && at !== known && still && known.contains(still)) {
          const next = at.nextSibling;
          old.insertBefore(at, known.nextSibling);
          at = next;
        }
        if (known === at) at = at.nextSibling;
        else old.insertBefore(known, at);
        change(known, wanted);
      } else if (at && fits(at, wanted)) {
        const next = at.nextSibling;
        change(at, wanted);
        at = next;
      } else {
        old.insertBefore(document.importNode(wanted, true), at);
      }
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  function show(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const main = fresh.getElementById("main");
    if (!main) throw new Error("no page");
    document.title = fresh.title;
    fresh.getElementById("fault").textContent = $("fault").textContent;
    for (const id of ["time", "live"]) {
      const [old, wanted] = [$(id), fresh.getElementById(id)];
      if (old && wanted && id === "time") change(old, wanted);
      else if (old && wanted) old.dataset.seconds = wanted.dataset.seconds;
    }
    if (!$("time") && fresh.getElementById("time")) location.reload();
    children($("main"), main);
  }

  // --- Asking

  async function read(address, isAsked) {
    if (request) request.abort();
    const mine = (request = new AbortController());
    const limit = setTimeout(() => mine.abort(), 15000);
    try {
      const headers = tag && tagged === address ? { "If-None-Match": tag } : {};
      const answer = await fetch(address, { headers, signal: mine.signal, cache: "no-store" });
      if (answer.status !== 304 && !answer.ok) throw new Error(`the exporter answered ${answer.status}`);
      const text = answer.status === 304 ? "" : await answer.text();
      if (mine !== request) return;
      [tag, tagged, fetched, failures] = [answer.headers.get("ETag") || "", address, Date.now(), 0];
      if (text) show(text);
    } catch (error) {
      if (mine !== request) return; // another one is under way
      failures += 1;
    } finally {
      clearTimeout(limit);
      if (mine === request) {
        request = null;
        say();
        later();
      }
    }
  }

  const address = () => location.pathname + location.search;

  function later() {
    clearTimeout(timer);
    if (document.hidden) return;
    const wait = Math.min(seconds() * 1000 * 2 ** Math.min(failures, 6), SLOWEST_MS);
    timer = setTimeout(() => read(address()), wait);
  }

  function say() {
    const live = $("live");
    const old = Math.round((Date.now() - fetched) / 1000);
    // The sentence stays as it is: it is read out whenever it changes. How old the numbers are counts on, beside.
    const words = failures
      ? `The exporter does not answer: these numbers are of ${$("time")?.textContent ?? "before"}. It is asked again.`
      : "";
    if ($("fault").textContent !== words) $("fault").textContent = words;
    const age = old < 120 ? `${old} s` : `${Math.round(old / 60)} min`;
    const state = failures ? `not refreshed for ${age}` : `live, every ${seconds()} s`;
    if (live.textContent !== state) live.textContent = state;
  }

  // --- Forms

  function asked(form) {
    const words = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) words.set(name, value);
    const slider = form.elements.at;
    if (slider && slider.type === "range" && slider.value === slider.max) words.delete("at");
    const query = words.toString();
    return location.pathname + (query ? `?${query}` : "");
  }

  function soon(form, wait) {
    clearTimeout(typing);
    typing = setTimeout(() => {
      const wanted = asked(form);
      if (wanted === address()) return;
      history.replaceState(null, "", wanted);
      read(wanted);
    }, wait);
  }

  document.addEventListener("input", ({ target }) => {
    const form = target.form;
    if (!form || !form.closest("#main")) return;
    if (target.type === "range") {
      const then = target.value === target.max
        ? "now"
        : `${new Date(target.value * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
      $("then").textContent = then;
      target.setAttribute("aria-valuetext", then);
    }
    soon(form, target.type === "search" ? 250 : 150);
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.closest("#main")) return;
    event.preventDefault();
    soon(event.target, 0);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else read(address());
  });
  window.addEventListener("popstate", () => read(address()));

  document.documentElement.classList.add("js");
  setInterval(() => failures && !document.hidden && say(), 1000);
  say();
  later();
})();
