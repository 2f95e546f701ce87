// How the nodes of one service ask each other: a question goes to all of them, each answers with a list.

/** One node's answer. */
export interface NodeAnswer<Item> {
  readonly node: string;
  readonly items: readonly Item[];
}

/** What a question to all nodes came to. */
export interface NodeAnswers<Item> {
  /** This node's own first. */
  readonly answers: readonly NodeAnswer<Item>[];
  /** Nodes that were there a moment ago and did not answer in time. */
  readonly silent: readonly string[];
}

/**
 * Answers a question from what this node knows, a long answer over several turns of the event loop; what it returns is
 * sent as JSON. Must neither throw nor reject.
 */
export type AnswerQuestion = (question: unknown) => readonly unknown[] | Promise<readonly unknown[]>;

/** The way to all nodes, this one included. */
export interface NodeBus {
  /** Name of this node; undefined where it is the only one there can be. */
  readonly node: string | undefined;
  /** From now on questions of this kind are answered. One answer a kind. */
  answer(kind: string, answer: AnswerQuestion): void;
  /** Asks all nodes; resolves within 1 s and a little, with what came. */
  ask(kind: string, question: unknown): Promise<NodeAnswers<unknown>>;
  close(): Promise<void>;
}

/** The bus of a service of one node. */
export function createLocalBus(): NodeBus {
  const answers = new Map<string, AnswerQuestion>();
  return {
    node: undefined,
    answer: (kind, answer) => void answers.set(kind, answer),
    ask: async (kind, question) => ({
      answers: [{ node: "", items: (await answers.get(kind)?.(question)) ?? [] }],
      silent: [],
    }),
    close: async () => {},
  };
}
