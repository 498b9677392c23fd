// Small line drawings for buttons; the button's name says what it does.
const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  cross: "M8 1v5M8 10v5M1 8h5M10 8h5",
  window: "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12M8 2v12M8 4h4M8 7h5.5M8 10h5M8 13h2",
  pan: "M8 1v14M1 8h14M6 3l2-2l2 2M6 13l2 2l2-2M3 6l-2 2l2 2M13 6l2 2l-2 2",
  zoom: "M6.5 2a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9M10 10l4.5 4.5M4.5 6.5h4M6.5 4.5v4",
  sphere: "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12M2 8c2 2.5 10 2.5 12 0",
  liver: "M2 6c0-3 4-4 8-3c3 .6 5 2 4 4c-1 2-4 2-5 4c-1 2-3 3-5 2c-2-1-2-4-2-7z",
  freehand: "M2 12c1-5 4-9 6-8s-2 5 0 6s3-3 6-5",
  line: "M3 13L13 3M1.5 11.5l3 3M11.5 1.5l3 3",
  invert: "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12M8 2v12M9 3v10M10.500 3v10M12 4.500v7",
  smooth: "M1 11c2.500 0 3-6 5-6s2.500 6 4.500 6S13 5 15 5",
  fit: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4M5 5h6v6H5z",
  full: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
  rotate: "M13 8a5 5 0 1 1-1.600-3.600M13 2v3.500h-3.500",
  chart: "M2 2v12h12M5 11V8M8 11V4M11 11V7",
  remove: "M4 4l8 8M12 4l-8 8",
  help: "M5.500 6a2.500 2.500 0 1 1 3.500 2.300c-.7.4-1 .8-1 1.700M8 12.500v.5",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}
