// The chart of calls over time, with a span that is brushed by pointer or keys.
import { useRef, useState } from 'preact/hooks';
import { span } from '../app/state.ts';
import { calls, grouped, perOperation } from '../text/numbers.ts';
import type { Bar, PhaseCalls, Timeline } from './timeline.ts';

interface ChartProps {
  readonly timeline: Timeline;
  readonly families: readonly string[];
  /** With names and figures in it, and an axis. */
  readonly isTall: boolean;
}

/** A stretch that is chosen as one: a phase, or a bar. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly says: string;
}

/** Bars of phases, or of equal stretches of time. One stop of the Tab key; arrows choose, with Shift they extend. */
export function TimeChart({ timeline, families, isTall }: ChartProps) {
  const plot = useRef<HTMLDivElement>(null);
  const [drag, showDrag] = useState<readonly [number, number] | null>(null);
  // The pointer may be faster than the next drawing.
  const dragged = useRef<readonly [number, number] | null>(null);
  const setDrag = (next: readonly [number, number] | null) => {
    dragged.current = next;
    showDrag(next);
  };
  const [at, setAt] = useState(0);
  const { end, kind } = timeline;
  const stretches = stretchesOf(timeline);
  const timeAt = (x: number) => {
    const box = plot.current?.getBoundingClientRect();
    return box ? Math.min(end, Math.max(0, ((x - box.left) / box.width) * end)) : 0;
  };
  const choose = (from: number, to: number) => span.set(widened(timeline, from, to));
  const shown = drag ?? span.value;
  const current = stretches[Math.min(at, stretches.length - 1)];
  return (
    <div class={isTall ? 'time-chart tall' : 'time-chart'}>
      <div
        ref={plot}
        class="plot"
        tabIndex={0}
        role="slider"
        aria-label="Time: arrows choose a stretch, with Shift they extend it, Escape takes it back"
        aria-valuemin={0}
        aria-valuemax={stretches.length - 1}
        aria-valuenow={at}
        aria-valuetext={current?.says ?? ''}
        onKeyDown={(event) => {
          const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
          const next = step === undefined ? at : Math.min(stretches.length - 1, Math.max(0, at + step));
          const chosen = stretches[next];
          const isChoice = event.key === 'Enter' || event.key === ' ';
          if ((step === undefined && !isChoice) || !chosen) return;
          event.preventDefault();
          event.stopPropagation();
          setAt(next);
          const now = event.shiftKey ? span.value : null;
          choose(Math.min(chosen.from, now?.[0] ?? chosen.from), Math.max(chosen.to, now?.[1] ?? chosen.to));
        }}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          const time = timeAt(event.clientX);
          setDrag([time, time]);
        }}
        onPointerMove={({ clientX }) => {
          if (dragged.current) setDrag([dragged.current[0], timeAt(clientX)]);
        }}
        onPointerCancel={() => setDrag(null)}
        onPointerUp={({ clientX }) => {
          const begin = dragged.current?.[0];
          if (begin === undefined) return;
          setDrag(null);
          const time = timeAt(clientX);
          choose(Math.min(begin, time), Math.max(begin, time));
        }}
      >
        {kind === 'times' && <Bars timeline={timeline} families={families} />}
        {timeline.phases.map((phase) => (
          <PhaseBar key={phase.from} phase={phase} timeline={timeline} isTall={isTall} />
        ))}
        {shown !== null && <Brushed from={Math.min(...shown)} to={Math.max(...shown)} end={end} />}
      </div>
      {isTall && <Axis end={end} />}
    </div>
  );
}

/** Without a width a click chooses what lies under it; phases are chosen whole. */
function widened(timeline: Timeline, from: number, to: number): readonly [number, number] | null {
  const touched = stretchesOf(timeline).filter((one) =>
    to - from < timeline.end / 400 ? one.from <= from && from < one.to : one.from < to && from < one.to,
  );
  if (touched.length === 0) return null;
  return [Math.min(...touched.map((one) => one.from)), Math.max(...touched.map((one) => one.to))];
}

function stretchesOf({ kind, bars, phases, end }: Timeline): readonly Stretch[] {
  const seconds = (ms: number) => (ms / 1000).toFixed(end < 20_000 ? 1 : 0);
  if (kind === 'phases') {
    return phases.map(({ from, to, name, calls: count }) => ({ from, to, says: `${name}, ${calls(count)}` }));
  }
  return bars.map(({ from, to, calls: count }) => ({
    from,
    to,
    says: `${seconds(from)} to ${seconds(to)} s, ${calls(count)}`,
  }));
}

function Bars({
  timeline: { bars, end },
  families,
}: {
  readonly timeline: Timeline;
  readonly families: ChartProps['families'];
}) {
  const most = Math.max(1, ...bars.map((bar) => bar.calls));
  return (
    <svg class="bars" viewBox={`0 0 ${end} 1`} preserveAspectRatio="none" aria-hidden="true">
      {bars.map((bar) => (
        <BarOf key={bar.from} bar={bar} most={most} families={families} />
      ))}
    </svg>
  );
}

function BarOf({
  bar,
  most,
  families,
}: {
  readonly bar: Bar;
  readonly most: number;
  readonly families: ChartProps['families'];
}) {
  let below = 0;
  return (
    <>
      {families.map((family, i) => {
        const height = (bar.byFamily[i] ?? 0) / most;
        if (height === 0) return null;
        below += height;
        return (
          <rect
            key={family}
            x={bar.from}
            y={1 - below}
            width={(bar.to - bar.from) * 0.94}
            height={height}
            fill={`var(--${family === 'user' ? 'edge' : family})`}
          />
        );
      })}
    </>
  );
}

/** Of phases alone: a bar as high as its calls for each second. Over bars of time: only where it begins and ends. */
function PhaseBar({
  phase,
  timeline: { end, phases, kind },
  isTall,
}: {
  readonly phase: PhaseCalls;
  readonly timeline: Timeline;
  readonly isTall: boolean;
}) {
  const rate = ({ calls: count, from, to }: PhaseCalls) => (to > from ? count / (to - from) : 0);
  const highest = Math.max(...phases.map(rate));
  const height = kind === 'phases' && highest > 0 ? (rate(phase) / highest) * 100 : 100;
  const { from, to, name } = phase;
  const place = { left: `${(from / end) * 100}%`, width: `${((to - from) / end) * 100}%` };
  const title = `${name}: ${calls(phase.calls)}${eachText(phase)}`;
  return (
    <div class={`phase ${kind}`} style={place} title={title}>
      {kind === 'phases' && <div class="rate" style={{ height: `${height}%` }} />}
      <p class="name">
        {name}
        {isTall && (
          <>
            <br />
            <strong>{grouped(phase.calls)}</strong> calls
            {phase.operations !== null && (
              <>
                <br />
                {perOperation((phase.calls / phase.operations) * 1000)} per 1000 operations
              </>
            )}
          </>
        )}
      </p>
    </div>
  );
}

function eachText({ calls: count, operations }: PhaseCalls): string {
  return operations ? `, ${perOperation((count / operations) * 1000)} for each 1000 operations` : '';
}

function Brushed({ from, to, end }: { readonly from: number; readonly to: number; readonly end: number }) {
  return <div class="brushed" style={{ left: `${(from / end) * 100}%`, width: `${((to - from) / end) * 100}%` }} />;
}

/** Round numbers of seconds. */
function Axis({ end }: { readonly end: number }) {
  const step = niceStep(end / 1000 / 6);
  const ticks = Array.from({ length: Math.floor(end / 1000 / step) + 1 }, (_, i) => i * step);
  return (
    <div class="axis" aria-hidden="true">
      {ticks.map((tick) => (
        <span key={tick} style={{ left: `${((tick * 1000) / end) * 100}%` }}>
          {Number(tick.toPrecision(6))} s
        </span>
      ))}
    </div>
  );
}

function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 0.001)));
  return ([1, 2, 5].find((times) => times * power >= least) ?? 10) * power;
}
