"use strict";
// The widget of a document: asks Grist for an access token, and the program for the state of the démarches.
(() => {
  const origins = document.body.dataset.origins.split(" ").filter(Boolean);
  const wanted = new URLSearchParams(location.search).get("document");
  const message = document.getElementById("message");
  const list = document.getElementById("demarches");

  // The few messages of Grist's plugin protocol that are needed here: a call, its two answers, and "ready".
  const CALL = 1, DATA = 2, ERROR = 3, READY = 5;
  const waiting = new Map();
  let origin = null, last = 0;

  function post(data) {
    for (const to of origin ? [origin] : origins) window.parent.postMessage(data, to);
  }

  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || !origins.includes(event.origin)) return;
    origin = event.origin;
    const data = event.data || {};
    const pending = waiting.get(data.reqId);
    if (!pending || (data.mtype !== DATA && data.mtype !== ERROR)) return;
    waiting.delete(data.reqId);
    if (data.mtype === DATA) pending.resolve(data.data);
    else pending.reject(new Error(String(data.mesg)));
  });

  function call(mdest, iface, meth, args) {
    return new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      post({ mtype: CALL, mdest, reqId: last, iface, meth, args });
    });
  }

  let token = null, until = 0;

  async function fresh() {
    if (token && Date.now() < until) return token;
    const given = await call("grist", "GristDocAPI", "getAccessToken", [{ readOnly: false }]);
    token = given.token;
    until = Date.now() + given.ttlMsecs / 2;
    return token;
  }

  const REFUSED = {
    unknown: "Ce document n’est pas dans la configuration du programme : l’exploitant complète l’adresse du widget.",
    token: "Grist n’a pas reconnu cette session. Rechargez la page.",
    rights: "Ce panneau est réservé aux personnes qui peuvent modifier le document.",
    no_table: "La table des commandes n’est pas encore prête : elle vient avec le prochain passage.",
    too_many: "Trop de demandes à la fois. Nouvel essai dans un instant.",
    unavailable: "Grist ne répond pas. Nouvel essai dans un instant.",
  };

  async function ask(path, body) {
    let answer;
    try {
      answer = await fetch("/grist/" + path, {
        method: "POST",
        credentials: "omit",
        headers: { "Content-Type": "application/json", "Authorization": "Bearer " + await fresh() },
        body: JSON.stringify(wanted ? { document: wanted, ...body } : body),
      });
    } catch (error) {
      if (/access/i.test(error.message)) {
        throw new Error("Accordez à ce widget l’accès complet au document (panneau de droite, « Widget personnalisé »).");
      }
      throw new Error("Le programme de synchronisation ne répond pas. Nouvel essai dans un instant.");
    }
    const found = await answer.json().catch(() => ({}));
    if (answer.ok) return found;
    if (answer.status === 401) token = null;
    throw new Error(REFUSED[found.refused] || "Demande refusée (" + answer.status + ").");
  }

  function say(text) {
    if (message.textContent !== text) message.textContent = text;
  }

  const clock = new Intl.DateTimeFormat("fr-FR", { dateStyle: "medium", timeStyle: "short" });
  const when = (text) => clock.format(new Date(text));

  function since(from, now) {
    const minutes = Math.max(0, Math.round((new Date(now) - new Date(from)) / 60000));
    if (minutes < 1) return "à l’instant";
    if (minutes < 60) return "il y a " + minutes + " min";
    if (minutes < 48 * 60) return "il y a " + Math.round(minutes / 60) + " h";
    return "il y a " + Math.round(minutes / 1440) + " jours";
  }

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function fact(to, title, value) {
    to.append(element("dt", title));
    const cell = element("dd");
    cell.append(value);
    to.append(cell);
  }

  const OUTCOMES = {
    done: "Terminé",
    quarantine: "Terminé, sauf la quarantaine",
    interrupted: "Interrompu, à reprendre",
    failed: "En échec",
  };

  function table(runs) {
    const scroll = element("div", undefined, "defile");
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", "Derniers passages");
    const made = element("table");
    made.append(element("caption", "Derniers passages"));
    const head = element("tr");
    for (const [title, kind] of [["Fin", ""], ["Résultat", ""], ["Nouveaux", "nombre"], ["Modifiés", "nombre"], ["Supprimés", "nombre"]]) {
      const cell = element("th", title, kind);
      cell.scope = "col";
      head.append(cell);
    }
    const top = element("thead");
    top.append(head);
    const rows = element("tbody");
    for (const run of runs) {
      const row = element("tr");
      row.append(element("td", when(run.ended_at)), element("td", OUTCOMES[run.outcome] || run.outcome));
      for (const count of [run.inserted, run.updated, run.deleted]) row.append(element("td", String(count), "nombre"));
      rows.append(row);
    }
    made.append(top, rows);
    scroll.append(made);
    return scroll;
  }

  const CONFIRM = { envoyer: "Confirmer l’envoi", relire: "Confirmer : tout relire" };
  let confirming = null;

  async function press(job, word) {
    const key = [job.instance, job.demarche, word].join("/");
    if (CONFIRM[word] && confirming !== key) {
      confirming = key;
      setTimeout(() => { if (confirming === key) { confirming = null; refresh(); } }, 10000);
      await refresh();
      return;
    }
    confirming = null;
    try {
      await ask("ask", { instance: job.instance, demarche: job.demarche, command: word });
      say("C’est demandé.");
    } catch (error) {
      say(error.message);
      return;
    }
    await refresh(true);
  }

  function section(job, now) {
    const made = element("section");
    const id = "d-" + job.instance + "-" + job.demarche;
    made.setAttribute("aria-labelledby", id);
    const title = element("h2", job.title || "Démarche " + job.demarche);
    title.id = id;
    made.append(title);
    const facts = element("dl", undefined, "faits");
    const late = job.late_from && new Date(job.late_from) < new Date(now);
    const fresh = job.last_success ? since(job.last_success, now) + " (" + when(job.last_success) + ")" : "pas encore";
    fact(facts, "À jour", element("span", late ? fresh + ", en retard" : fresh, late ? "retard" : ""));
    if (job.running_since) {
      const read = job.progress ? job.progress.read : 0;
      const text = "depuis " + when(job.running_since) + (read ? " : " + read + " dossiers lus" : "");
      const cell = element("span", text);
      if (job.progress && job.progress.sweep && job.progress.alive > 0) {
        const bar = element("progress");
        bar.max = job.progress.alive;
        bar.value = Math.min(read, job.progress.alive);
        bar.setAttribute("aria-label", "Avancement du passage");
        cell.append(" ", bar);
      }
      fact(facts, "En cours", cell);
    } else if (job.paused) {
      fact(facts, "Prochain passage", "aucun : en pause");
    } else if (job.next) {
      fact(facts, "Prochain passage", new Date(job.next) <= new Date(now) ? "maintenant" : when(job.next));
    }
    fact(facts, "En quarantaine", job.quarantine === 0 ? "aucun dossier" : String(job.quarantine));
    const pending = (job.outbox && job.outbox.pending) || 0;
    fact(facts, "Décisions en attente", pending === 0 ? "aucune" : String(pending));
    const person = ["refused", "conflict", "ambiguous"].reduce((sum, word) => sum + ((job.outbox && job.outbox[word]) || 0), 0);
    if (person > 0) fact(facts, "Décisions à revoir", person + " (page « Envois »)");
    made.append(facts);
    const buttons = element("ul", undefined, "boutons");
    job.commands.forEach(([word, name], index) => {
      const key = [job.instance, job.demarche, word].join("/");
      const waits = job.waiting.includes(word);
      const button = element("button", confirming === key ? CONFIRM[word] : name + (waits ? " (demandé)" : ""), index === 0 ? "premier" : "");
      button.type = "button";
      button.dataset.key = key;
      button.disabled = waits;
      button.addEventListener("click", () => press(job, word));
      const item = element("li");
      item.append(button);
      buttons.append(item);
    });
    made.append(buttons);
    if (job.answer) made.append(element("p", job.answer, "reponse"));
    if (job.runs.length > 0) made.append(table(job.runs));
    return made;
  }

  async function refresh(keepMessage) {
    let state;
    try {
      state = await ask("state", {});
    } catch (error) {
      say(error.message);
      return;
    }
    if (!keepMessage) say("");
    const focused = document.activeElement && document.activeElement.dataset && document.activeElement.dataset.key;
    list.replaceChildren(...state.demarches.map((job) => section(job, state.now)));
    if (focused) {
      const again = [...list.querySelectorAll("button")].find((button) => button.dataset.key === focused);
      if (again) again.focus();
    }
  }

  if (window.parent === window) {
    say("Cette page est un widget : ajoutez-la dans un document Grist.");
    return;
  }
  post({ mtype: READY });
  call("", "CustomSectionAPI", "configure", [{ requiredAccess: "full", hasCustomOptions: false }]).catch(() => {});
  refresh();
  setInterval(() => { if (document.visibilityState === "visible") refresh(); }, 10000);
})();
