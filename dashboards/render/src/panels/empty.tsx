import { useTheme2 } from '@grafana/ui';

/** What Grafana says in a panel that has nothing to draw. */
export function Empty({ words, width, height }: { words: string; width: number; height: number }) {
  const theme = useTheme2();
  return (
    <div style={{
      width, height, display: 'flex', alignItems: 'center', justifyContent: 'center', textAlign: 'center',
      color: theme.colors.text.secondary, fontSize: theme.typography.size.lg,
    }}>
      {words}
    </div>
  );
}
