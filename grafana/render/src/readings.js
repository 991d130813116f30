/** What can be read in each drawn panel, for the report beside the pictures. */
import { isDrawn } from './panels/index.js';

export function readings(panels, results) {
  return panels.map((panel, i) => {
    const place = document.querySelector(`[data-panel="${panel.id}"]`);
    return {
      id: panel.id,
      title: panel.title ?? '',
      type: panel.type,
      isDrawn: isDrawn(panel.type),
      asked: results[i].asked,
      series: results[i].series,
      errors: results[i].errors,
      text: place?.innerText.replace(/\s+/g, ' ').trim() ?? '',
      cut: place ? cutTexts(place) : [],
    };
  });
}

/** Texts wider than their place that a browser ends with an ellipsis or hides. */
function cutTexts(place) {
  const found = [...place.querySelectorAll('*')].filter(
    (element) =>
      element.clientWidth > 1 && // narrower: text for screen readers
      element.scrollWidth > element.clientWidth + 1 &&
      [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim()) &&
      getComputedStyle(element).overflowX !== 'visible'
  );
  return [...new Set(found.map((element) => element.textContent.trim()))];
}
