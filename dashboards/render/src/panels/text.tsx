import { renderTextPanelMarkdown } from '@grafana/data';
import { type Drawing } from './kinds';

/** Words, in markdown. */
export function Words({ options, width, height, interpolate }: Drawing) {
  const text = interpolate(options.content ?? '');
  const html = options.mode === 'html' ? text : renderTextPanelMarkdown(text);
  return <div className="markdown-html" style={{ width, height, overflow: 'hidden' }} dangerouslySetInnerHTML={{ __html: html }} />;
}
