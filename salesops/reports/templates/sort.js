"use strict";
// The heads of a table become buttons; a total in the foot stays there, and nulls stay last.
const words = new Intl.Collator(document.documentElement.lang, {numeric: true});
for (const table of document.querySelectorAll("table.sorts")) {
  const body = table.tBodies[0], first = [...body.rows];
  if (first.length < 2) continue;
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const value = row => row.cells[column].dataset.v ?? row.cells[column].textContent;
    const told = first.map(value).filter(v => v !== "");
    const asNumbers = told.every(v => !isNaN(v)), hasData = first[0].cells[column].dataset.v != null;
    const compare = asNumbers ? (a, b) => a - b : (a, b) => words.compare(a, b);
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      // Largest first and A first, then the other way round, then as it was.
      const ways = hasData ? ["descending", "ascending"] : ["ascending", "descending"];
      const next = [...ways, null][ways.indexOf(head.getAttribute("aria-sort")) + 1];
      heads.forEach(other => other.removeAttribute("aria-sort"));
      if (next) head.setAttribute("aria-sort", next);
      const rows = [...first], sign = next === "descending" ? -1 : 1;
      if (next) rows.sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        if (x === "" || y === "") return (x === "") - (y === "");
        return sign * compare(x, y);
      });
      body.append(...rows);
    });
  });
}
