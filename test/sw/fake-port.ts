/** The worker's end of a port; the test plays the engine. Delivery is at once, so that time can be mocked. */
import type { AssetQuestion, PortMessage } from '../../protocol/page.ts';

export type Read = Extract<AssetQuestion, { type: 'read' }>;

export class FakePort {
  onmessage: ((event: { data: PortMessage }) => void) | null = null;
  readonly questions: AssetQuestion[] = [];
  closed = false;
  /** Called with each question. */
  hears: (question: AssetQuestion) => void = () => undefined;

  postMessage(question: AssetQuestion): void {
    this.questions.push(question);
    this.hears(question);
  }

  say(message: PortMessage): void {
    this.onmessage?.({ data: message });
  }

  give(id: number, bytes: Uint8Array, checked = true): void {
    this.say({ type: 'chunk', id, bytes: bytes.slice().buffer, checked });
  }

  close(): void {
    this.closed = true;
  }

  get reads(): Read[] {
    return this.questions.filter((question) => question.type === 'read');
  }
}
