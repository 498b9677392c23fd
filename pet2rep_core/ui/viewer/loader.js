// Streamlit runs this at every change of the data; the viewer itself is a module of our own server.
const INSTANCES = new WeakMap();

export default function (component) {
  const { parentElement } = component;
  const known = INSTANCES.get(parentElement);
  const latest = known ?? { component: null, viewer: null };
  latest.component = component;
  if (known) {
    latest.viewer?.update(component);
    return () => {};
  }
  INSTANCES.set(parentElement, latest);
  const address = new URL(`viewer/${component.data.version}/viewer.js`, document.baseURI);
  import(address).then(({ Viewer }) => {
    if (INSTANCES.get(parentElement) !== latest) return;
    latest.viewer = new Viewer(parentElement);
    latest.viewer.update(latest.component);
  }, () => { parentElement.querySelector(".message").textContent = component.data.texts.failed; });
  return () => {
    INSTANCES.delete(parentElement);
    latest.viewer?.close();
  };
}
