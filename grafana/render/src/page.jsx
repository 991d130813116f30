/** The whole page: our header, and every panel in Grafana's frame. */
import { Component } from 'react';
import { ThemeContext } from '@grafana/data';
import { GlobalStyles, PanelChrome } from '@grafana/ui';
import { HEADER_PX, box } from './grid.js';
import { bodyOf } from './panels/index.js';
import { filled, visible } from './variables.js';

export function Page({ job, panels, results, context }) {
  return (
    <ThemeContext.Provider value={context.theme}>
      <GlobalStyles />
      <Header job={job} context={context} />
      {panels.map((panel, i) => (
        <Guard key={i} title={panel.title}>
          <Place panel={panel} result={results[i]} pageWidth={job.width} context={context} />
        </Guard>
      ))}
    </ThemeContext.Provider>
  );
}

/** Not Grafana's: the title, the variables' values, and what this picture is. */
function Header({ job, context }) {
  const { text } = context.theme.colors;
  const row = { height: HEADER_PX, padding: '0 12px', display: 'flex', alignItems: 'center', gap: 24, color: text.primary };
  return (
    <div style={row}>
      <strong style={{ fontSize: 20 }}>{job.board.title}</strong>
      {visible(job.board, context.variables).map(({ label, value }) => (
        <span key={label} style={{ color: text.secondary }}>
          {label}: {value}
        </span>
      ))}
      <span style={{ marginLeft: 'auto', color: text.secondary }}>
        {context.range.to.format('D MMM YYYY HH:mm:ss')} · {job.note}
      </span>
    </div>
  );
}

function Place({ panel, result, pageWidth, context }) {
  const place = box(panel.gridPos, pageWidth);
  const title = filled(panel.title ?? '', context.variables);
  const isRow = panel.type === 'row';
  return (
    <div data-panel={panel.id} style={{ position: 'absolute', ...place }}>
      {isRow ? <RowTitle title={title} context={context} /> : <Framed {...{ panel, title, result, place, context }} />}
    </div>
  );
}

function Framed({ panel, title, result, place, context }) {
  const Body = bodyOf(panel.type);
  return (
    <PanelChrome
      title={title}
      description={panel.description}
      displayMode={panel.transparent ? 'transparent' : 'default'}
      padding={panel.type === 'table' ? 'none' : 'md'}
      width={place.width}
      height={place.height}
      statusMessage={result.errors.join('; ') || undefined}
    >
      {(width, height) => (
        <Guard title={title}>
          <Body panel={panel} frames={result.frames} width={width} height={height} context={context} />
        </Guard>
      )}
    </PanelChrome>
  );
}

function RowTitle({ title, context }) {
  return <div style={{ paddingTop: 4, fontSize: 16, fontWeight: 500, color: context.theme.colors.text.primary }}>⌄ {title}</div>;
}

/** One panel that fails is written down and says so; the others are drawn. */
class Guard extends Component {
  state = { error: null };

  static getDerivedStateFromError(error) {
    return { error };
  }

  componentDidCatch(error) {
    window.failures.push(`${this.props.title}: ${error.message}`);
  }

  render() {
    return this.state.error ? <div>this panel failed: {this.state.error.message}</div> : this.props.children;
  }
}
