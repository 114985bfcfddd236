import { describe, expect, it } from 'vitest';
import { asRead, readerOf } from '../generator/readers.js';

const SHAPE = {
  title: 'Thing',
  type: 'object',
  properties: {
    id: { title: 'Id', type: 'string' },
    size: { type: 'integer' },
    note: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    kind: { enum: ['a', 'b'] },
    parts: { type: 'array', items: { $ref: '#/components/schemas/Part' } },
    settled: { type: 'boolean', default: false },
  },
  required: ['id'],
};

/** The code of a reader, without its spaces. */
const code = (shape: object, manner: object) => readerOf('Thing', asRead(shape, manner)).replace(/\s+/g, ' ');

describe('a shape that is read strictly', () => {
  it('needs all that may not be null', () => {
    const { required, properties } = asRead(SHAPE, {});
    expect(required).toEqual(Object.keys(SHAPE.properties));
    expect(properties).toMatchObject({ note: { anyOf: [{ type: 'string' }, { type: 'null' }] } });
    const strict = code(SHAPE, {});
    for (const field of ['id', 'size', 'kind', 'parts'])
      expect(strict).toContain(`if (${field} === null) return null;`);
    expect(strict).toContain("note: r.string(value['note'])");
    expect(strict).toContain("settled: r.boolean(value['settled']) ?? false");
  });
});

describe('a shape that is read tolerantly', () => {
  const manner = { needs: ['id'], otherwise: { kind: 'a' }, positive: ['size'], unread: ['note'] };

  it('needs what it is told to, and makes null or the substitute of the rest', () => {
    const tolerant = code(SHAPE, manner);
    expect(tolerant).toContain("const id = r.text(value['id']); if (id === null) return null;");
    expect(tolerant).toContain("size: r.positive(value['size'])");
    expect(tolerant).toContain(`kind: r.one(value['kind'], ["a","b"]) ?? "a"`);
    expect(tolerant).toContain("parts: r.list(value['parts'], readPart) ?? []");
    expect(tolerant).not.toContain('note');
    expect(tolerant.match(/return null/g)).toHaveLength(2);
  });

  it.each([{ needs: ['gone'] }, { unread: ['gone'] }, { positive: ['gone'] }, { otherwise: { gone: 1 } }])(
    'notices that the contract has no such field: %j',
    (wrong) => expect(() => asRead(SHAPE, wrong)).toThrow('Thing has no field gone'),
  );
});

it('knows no reader for what the contract has not had so far', () => {
  expect(() => code({ properties: { a: { type: 'odd' } } }, {})).toThrow('no reader');
});
