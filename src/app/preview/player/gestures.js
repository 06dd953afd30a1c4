// Moving about the page: drag, wheel, pinch, double click. Calls `pan(dx, dy)`, `zoom(factor, x, y)` and `fit()` in CSS pixels.

function listenToGestures(stage, { pan, zoom, fit }) {
  const fingers = new Map();

  stage.addEventListener('pointerdown', (event) => {
    if (event.button > 1) return;
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
    stage.classList.add('held');
  });

  stage.addEventListener('pointermove', (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
    if (other) {
      const distance = (a) => Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY);
      const middle = (a) => [(a.clientX + other.clientX) / 2, (a.clientY + other.clientY) / 2];
      const [from, to] = [middle(before), middle(event)];
      pan(to[0] - from[0], to[1] - from[1]);
      if (distance(before) > 1) zoom(distance(event) / distance(before), to[0], to[1]);
    } else {
      pan(event.clientX - before.clientX, event.clientY - before.clientY);
    }
    fingers.set(event.pointerId, event);
  });

  for (const end of ['pointerup', 'pointercancel']) {
    stage.addEventListener(end, (event) => {
      fingers.delete(event.pointerId);
      if (fingers.size === 0) stage.classList.remove('held');
    });
  }

  stage.addEventListener('wheel', (event) => {
    event.preventDefault();
    // A line or a page of wheel in pixels; a pinch on a touch pad comes as a wheel with ctrl, in small steps.
    const pixels = event.deltaY * [1, 16, 400][event.deltaMode];
    const step = Math.max(-240, Math.min(240, pixels)) * (event.ctrlKey ? 4 : 1);
    zoom(Math.exp(-step / 480), event.clientX, event.clientY);
  }, { passive: false });

  stage.addEventListener('dblclick', fit);
}
