/** The data of the page cannot be read. The message is a sentence for whoever opened the page. */
export class DamagedData extends Error {
  override name = 'DamagedData';
}
