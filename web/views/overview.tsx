import { census } from '../app/state.ts';
import type { ViewProps } from '../page.ts';
import { grouped, percent } from '../text/numbers.ts';

/** The groups, largest first. */
export function Overview({ page }: ViewProps) {
  const { report } = page.censuses[census.value] ?? page.censuses[0];
  return (
    <table class="groups">
      <caption>Groups of calls by {report.by.join(', ')}</caption>
      <thead>
        <tr>
          <th scope="col">#</th>
          <th scope="col">Calls</th>
          <th scope="col">Share</th>
          <th scope="col">Site</th>
          <th scope="col">What happens</th>
        </tr>
      </thead>
      <tbody>
        {report.groups.map((group) => (
          <tr key={group.rank}>
            <td>{group.rank}</td>
            <td>{grouped(group.count)}</td>
            <td>{percent(group.share)}</td>
            <td>
              <code>{group.site?.name ?? group.key}</code>
            </td>
            <td>{group.explanation}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
