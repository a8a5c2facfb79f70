import { describe, expect, test } from 'vitest'
import { escapeMarkdown } from '../../../src/extension/text/markdown'

describe('Text from outside in Markdown', () => {
  test.each([
    ['resize(img_7.png)', 'resize(img_7.png)'],
    ['PoolWorker-2, pid=4211', 'PoolWorker-2, pid=4211'],
    ['*bold* _em_ `code`', '\\*bold\\* \\_em\\_ \\`code\\`'],
    ['[link](http://x)', '\\[link\\](http://x)'],
    ['<img src=x>', '\\<img src=x\\>'],
    ['a|b', 'a\\|b'],
    ['$(warning) $HOME', '\\$(warning) $HOME'],
    ['&amp; R&D', '\\&amp; R&D'],
    ['# heading', '\\# heading'],
    ['- item', '\\- item'],
    ['1. item', '1\\. item'],
    ['two\nlines', 'two lines'],
    ['two\r\nlines', 'two lines'],
    ['a\rb\vc\fd\u0085e\u2028f\u2029g', 'a b c d e f g'],
  ])('%s is shown as it is', (text, escaped) => {
    expect(escapeMarkdown(text)).toBe(escaped)
  })
})
