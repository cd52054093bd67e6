document.querySelectorAll("table.searchable").forEach(function (table) {
  var body = table.tBodies[0], figure = table.closest("figure");
  var filter = figure.querySelector(".filter"), count = figure.querySelector(".count");
  function show() {
    var words = filter.value.toLowerCase().split(/\s+/), shown = 0;
    Array.prototype.forEach.call(body.rows, function (row) {
      var text = row.textContent.toLowerCase();
      row.hidden = !words.every(function (word) { return text.indexOf(word) >= 0; });
      shown += row.hidden ? 0 : 1;
    });
    count.textContent = shown + " / " + body.rows.length + " 家";
  }
  filter.addEventListener("input", show);
  show();
  Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, column) {
    head.addEventListener("click", function () {
      var up = head.getAttribute("aria-sort") !== "ascending";
      Array.prototype.forEach.call(table.tHead.rows[0].cells, function (h) { h.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      var key = function (row) {
        var text = row.cells[column].textContent.trim();
        var value = parseFloat(text.replace(/,/g, "").replace("−", "-"));
        return isNaN(value) ? text : value;
      };
      Array.from(body.rows).sort(function (a, b) {
        var x = key(a), y = key(b);
        var order = typeof x === "number" && typeof y === "number" ? x - y
          : typeof x === typeof y ? x.localeCompare(y, "zh") : typeof x === "number" ? -1 : 1;
        return up ? order : -order;
      }).forEach(function (row) { body.appendChild(row); });
    });
  });
});
