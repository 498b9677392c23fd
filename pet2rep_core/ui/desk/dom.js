// Making elements. Words of reports and readers come in as text nodes only, never as markup.
export function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.append(text);
  return element;
}

export function button(className, label, onClick, name = "") {
  const element = make("button", className, label);
  element.type = "button";
  element.onclick = onClick;
  if (name) element.setAttribute("aria-label", name);
  return element;
}

export function key(name) {
  return make("kbd", "", name);
}

// Version 4 of RFC 9562. crypto.randomUUID is kept from pages that came over plain http.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
