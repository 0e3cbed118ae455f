/** In place of the comparison, where there is nothing to compare with. */
export function OnlyOne() {
  return (
    <section class="empty">
      <p>
        <strong>There is only one recording on this page.</strong>
      </p>
      <p>
        <code>whocalls view A.pb.gz B.pb.gz</code> shows two, and what changed between them;{' '}
        <code>whocalls diff A.pb.gz B.pb.gz -o page.html</code> writes it into a file.
      </p>
    </section>
  );
}
