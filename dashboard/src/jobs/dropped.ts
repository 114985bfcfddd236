/** Files that were dropped or chosen, those in folders too, with their paths below what was dropped. */

export interface Chosen {
  file: File;
  path: string;
}

/** More than this of a folder is left to `framefleet batch`. */
export const MOST_FILES = 10_000;

/** Files that systems write into folders, and nobody means. */
const hidden = (name: string): boolean => name.startsWith('.') || /^(thumbs\.db|desktop\.ini)$/i.test(name);

function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const found: FileSystemEntry[] = [];
  return new Promise((resolve, reject) => {
    // A browser hands them out a hundred at a time, until none is left.
    const more = () =>
      reader.readEntries((entries) => {
        if (entries.length === 0) return resolve(found);
        found.push(...entries);
        more();
      }, reject);
    more();
  });
}

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject));

/** Reads at once what the drop holds, since it is empty after the event; then what is in folders. */
export async function chosenOf(transfer: DataTransfer): Promise<Chosen[]> {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file');
  const entries = items.map((item) => item.webkitGetAsEntry());
  const files = [...transfer.files];
  if (!entries.some((entry) => entry?.isDirectory)) return files.map((file) => ({ file, path: file.name }));
  const found: Chosen[] = [];
  const visit = async (entry: FileSystemEntry, at: string): Promise<void> => {
    if (hidden(entry.name) || found.length >= MOST_FILES) return;
    const path = at + entry.name;
    // What cannot be read costs itself: the rest is sent.
    if (entry.isFile)
      await fileOf(entry as FileSystemFileEntry).then(
        (file) => found.push({ file, path }),
        () => undefined,
      );
    else
      for (const child of await children(entry as FileSystemDirectoryEntry).catch(() => []))
        await visit(child, `${path}/`);
  };
  for (const entry of entries) if (entry !== null) await visit(entry, '');
  return found;
}

/** True if what is dragged has files. */
export const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
