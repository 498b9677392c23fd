// Streamlit runs this at every change of the data; the desk itself is a module of our own server.
const INSTANCES = new WeakMap();

export default function (component) {
  const { parentElement } = component;
  const known = INSTANCES.get(parentElement);
  const latest = known ?? { component: null, desk: null };
  latest.component = component;
  if (known) {
    latest.desk?.update(component);
    return () => {};
  }
  INSTANCES.set(parentElement, latest);
  const address = new URL(`desk/${component.data.version}/desk.js`, document.baseURI);
  import(address).then(({ Desk }) => {
    if (INSTANCES.get(parentElement) !== latest) return;
    latest.desk = new Desk(parentElement);
    latest.desk.update(latest.component);
  }, () => {
    const notice = parentElement.querySelector(".notice");
    notice.textContent = component.data.texts.failed;
    notice.hidden = false;
  });
  return () => {
    INSTANCES.delete(parentElement);
    latest.desk?.close();
  };
}
