import { calls } from '../text/numbers.ts';
import { TimeChart } from './chart.tsx';
import { timelineNow } from './shown.ts';
import './time.css';

/** Time in one row above every view; nothing where no time was recorded. */
export function TimeStrip() {
  const now = timelineNow.value;
  if (now === null || now.timeline.kind === null) return null;
  const { timeline, families } = now;
  const rest = timeline.kind === 'phases' ? timeline.outside : timeline.untimed;
  return (
    <section class="time-strip" aria-label="Time">
      <TimeChart timeline={timeline} families={families} isTall={false} />
      {rest > 0 && (
        <p class="rest">
          {calls(rest)} {timeline.kind === 'phases' ? 'outside the phases' : 'without a time'}
        </p>
      )}
    </section>
  );
}
