// Draws every chart of the page in colours that fit a light or a dark page.
(function () {
  "use strict";
  const darkness = window.matchMedia("(prefers-color-scheme: dark)");
  const config = { responsive: true, displaylogo: false, displayModeBar: false };

  function colour(layout, dark) {
    const ink = dark ? "#e6e9ed" : "#1b1f24";
    const grid = dark ? "#31373d" : "#e5e8ec";
    layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
    layout.font = { color: ink, size: 12, family: 'system-ui, "DejaVu Sans", Verdana, sans-serif' };
    for (const [key, axis] of Object.entries(layout)) {
      if (/^[xy]axis\d*$/.test(key)) {
        axis.gridcolor = grid;
        axis.linecolor = grid;
      }
    }
    return layout;
  }

  function draw(dark) {
    for (const source of document.querySelectorAll("script[data-chart]")) {
      const figure = JSON.parse(source.textContent);
      Plotly.react(source.dataset.chart, figure.data, colour(figure.layout, dark), config);
    }
  }

  draw(darkness.matches);
  darkness.addEventListener("change", (event) => draw(event.matches));
})();
