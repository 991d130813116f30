/** Bodies that are ours: the words for no data, and for what npm does not have. */

/** Where graph and table have nothing they say this in grey, in Grafana too; only values have a mapping for it. */
export function Empty({ panel, width, height, context }) {
  return (
    <Centred width={width} height={height} colour={context.theme.colors.text.secondary}>
      {panel.fieldConfig?.defaults?.noValue || 'No data'}
    </Centred>
  );
}

/** A panel whose component stands in Grafana's core. */
export function NotDrawn({ panel, width, height, context }) {
  return (
    <Centred width={width} height={height} colour={context.theme.colors.text.secondary}>
      panel type “{panel.type}” is not drawn here: its component is not on npm
    </Centred>
  );
}

function Centred({ width, height, colour, children }) {
  const style = { width, height, display: 'flex', alignItems: 'center', justifyContent: 'center', color: colour };
  return <div style={style}>{children}</div>;
}
