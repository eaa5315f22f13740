"use strict";
// The customer table: filter, sort, page, and take along as CSV. Everything is written as text,
// nothing as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const { columns, rows, words } = data;
  const size = 50;
  const total = rows.customer.length;
  const risky = new RegExp(data.risky);
  const state = { sort: "predicted_clv", down: true, page: 0, found: [] };

  const number = new Intl.NumberFormat(data.locale);
  const tenths = new Intl.NumberFormat(data.locale, { maximumFractionDigits: 1 });
  const money = new Intl.NumberFormat(data.locale, {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  });
  const percent = new Intl.NumberFormat(data.locale, { style: "percent" });
  const day = new Intl.DateTimeFormat(data.locale, { dateStyle: "medium", timeZone: "UTC" });
  const written = {
    text: (value) => value,
    word: (value) => data.segments[value] ?? value,
    number: (value) => number.format(value),
    tenths: (value) => tenths.format(value),
    money: (value) => money.format(value),
    percent: (value) => percent.format(value),
    day: (value) => day.format(new Date(value)),
  };
  const shown = (column, value) => (value === null ? "" : written[column.kind](value));
  const isNumber = (column) => !["text", "word"].includes(column.kind);
  const filled = (text, facts) => text.replace(/\{(\w+)\}/g, (_, name) => facts[name]);

  const groups = {
    slipping: (i) => rows.slipping[i],
    due: (i) => rows.due[i],
    once: (i) => rows.orders[i] === 1,
  };

  function find() {
    const id = at("f-id").value.trim().toLowerCase();
    const same = ["tier", "abc", "rfm"]
      .map((name) => [rows[name], at(`f-${name}`).value])
      .filter(([, wanted]) => wanted);
    const group = groups[at("f-group").value];
    state.found = [];
    for (let i = 0; i < total; i++) {
      if (id && !rows.customer[i].toLowerCase().includes(id)) continue;
      if (group && !group(i)) continue;
      if (same.every(([column, wanted]) => column[i] === wanted)) state.found.push(i);
    }
    sort();
  }

  // What nobody knows comes last, whichever way is sorted.
  function sort() {
    const column = columns.find((one) => one.name === state.sort);
    const values = rows[state.sort];
    const sign = state.down ? -1 : 1;
    const collator = new Intl.Collator(data.locale, { numeric: true });
    const rank = (tier) => -data.tiers.indexOf(tier);
    const compare =
      column.name === "tier"
        ? (a, b) => rank(a) - rank(b)
        : isNumber(column) && column.kind !== "day"
          ? (a, b) => a - b
          : (a, b) => collator.compare(a, b);
    state.found.sort((i, j) => {
      const [a, b] = [values[i], values[j]];
      if (a === null || b === null) return (a === null) - (b === null) || i - j;
      return sign * compare(a, b) || i - j;
    });
    state.page = 0;
    draw();
  }

  function draw() {
    const body = document.createElement("tbody");
    const from = state.page * size;
    for (const i of state.found.slice(from, from + size)) body.append(row(i));
    at("customers").tBodies[0].replaceWith(body);
    const until = Math.min(from + size, state.found.length);
    at("shown").textContent = state.found.length
      ? filled(words.shown, {
          from: number.format(from + 1),
          to: number.format(until),
          all: number.format(state.found.length),
        })
      : words.nobody;
    at("previous").disabled = !from;
    at("next").disabled = until >= state.found.length;
    for (const head of at("customers").tHead.rows[0].cells) {
      const sorted = head.dataset.name === state.sort;
      if (sorted) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
      head.querySelector("span").textContent = sorted ? (state.down ? " ↓" : " ↑") : "";
    }
  }

  function row(i) {
    const line = document.createElement("tr");
    for (const column of columns) {
      const first = column.name === "customer";
      const cell = document.createElement(first ? "th" : "td");
      if (first) cell.scope = "row";
      if (isNumber(column)) cell.className = "n";
      const text = document.createElement("bdi");
      text.textContent = shown(column, rows[column.name][i]);
      cell.append(text);
      line.append(cell);
    }
    return line;
  }

  function heads() {
    const line = document.createElement("tr");
    for (const column of columns) {
      const head = document.createElement("th");
      head.scope = "col";
      head.dataset.name = column.name;
      if (isNumber(column)) head.className = "n";
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = column.title;
      const mark = document.createElement("span");
      mark.setAttribute("aria-hidden", "true");
      button.append(mark);
      button.addEventListener("click", () => {
        const highFirst = isNumber(column) || column.name === "tier";
        state.down = state.sort === column.name ? !state.down : highFirst;
        state.sort = column.name;
        sort();
      });
      head.append(button);
      line.append(head);
    }
    at("customers").tHead.replaceChildren(line);
  }

  // A spreadsheet would run a text that begins so; numbers and days stay as they are.
  function cell(column, value) {
    if (value === null) return "";
    let text = String(value);
    if (!isNumber(column) && risky.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function download() {
    const lines = [columns.map((column) => column.name).join(",")];
    for (const i of state.found) {
      lines.push(columns.map((column) => cell(column, rows[column.name][i])).join(","));
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines.join("\r\n"), "\r\n"], { type: "text/csv" }));
    link.download = "customers.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function clear() {
    for (const name of ["id", "tier", "group", "abc", "rfm"]) at(`f-${name}`).value = "";
  }

  for (const [value, title] of Object.entries(data.segments)) {
    const option = document.createElement("option");
    option.value = value;
    option.textContent = title;
    at("f-rfm").append(option);
  }
  for (const name of ["id", "tier", "group", "abc", "rfm"]) {
    at(`f-${name}`).addEventListener("input", find);
  }
  at("reset").addEventListener("click", () => {
    clear();
    find();
  });
  at("previous").addEventListener("click", () => {
    state.page -= 1;
    draw();
  });
  at("next").addEventListener("click", () => {
    state.page += 1;
    draw();
  });
  at("download").addEventListener("click", download);
  for (const link of document.querySelectorAll("[data-group]")) {
    link.addEventListener("click", () => {
      clear();
      at("f-group").value = link.dataset.group;
      find();
    });
  }
  heads();
  find();
  at("controls").hidden = false;
  at("pages").hidden = false;
})();
