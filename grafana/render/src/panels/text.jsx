/** Text: Markdown or HTML through Grafana's own renderer and sanitiser. */
import { renderTextPanelMarkdown, textUtil } from '@grafana/data';
import { filled } from '../variables.js';

export function Text({ panel, width, height, context }) {
  const { content = '', mode = 'markdown' } = panel.options ?? {};
  const text = filled(content, context.variables);
  const html = mode === 'html' ? textUtil.sanitize(text) : renderTextPanelMarkdown(text);
  return <div className="markdown-html" style={{ width, height, overflow: 'auto' }} dangerouslySetInnerHTML={{ __html: html }} />;
}
