/** What can be read in each drawn panel, for the report beside the pictures. */
import { isDrawn } from './panels/index.js';

const READER_PX = 1; // width of boxes that only screen readers read
const SLACK_PX = 1;
const LINE_SLACK_PX = 8; // a line's box is higher than its letters

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

/** Texts of which a part is hidden: by a box that clips it, or beyond the side edge of one that scrolls. */
function cutTexts(place) {
  const texts = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  const found = new Set();
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim();
    if (text && isCut(texts.currentNode, place)) found.add(text);
  }
  return [...found];
}

function isCut(node, place) {
  const range = document.createRange();
  range.selectNodeContents(node);
  const text = range.getBoundingClientRect();
  for (let box = node.parentElement; box && box !== place; box = box.parentElement) {
    const edge = box.getBoundingClientRect();
    if (edge.width <= READER_PX) return false; // text for screen readers only
    const { overflowX, overflowY } = getComputedStyle(box);
    if (overflowX !== 'visible' && (text.left < edge.left - SLACK_PX || text.right > edge.right + SLACK_PX)) return true;
    const clipsY = overflowY === 'hidden' || overflowY === 'clip';
    if (clipsY && (text.top < edge.top - LINE_SLACK_PX || text.bottom > edge.bottom + LINE_SLACK_PX)) return true;
  }
  return false;
}
