import { change } from '../app/parameters.ts';
import { sandwich, view } from '../app/state.ts';
import type { Border, Step, Story } from '../calls/story.ts';

/** A path from the call outwards, each function with what it does and where it stands. */
export function PathStory({ story: { path, beyond, isInterrupted } }: { readonly story: Story }) {
  return (
    <>
      <ol class="story">
        <Steps steps={path} />
      </ol>
      {beyond.length > 0 && (
        <details class="beyond">
          <summary>{isInterrupted ? 'What was interrupted (no cause of the call)' : 'The program that called'}</summary>
          <ol class="story">
            <Steps steps={beyond} />
          </ol>
        </details>
      )}
    </>
  );
}

function Steps({ steps }: { readonly steps: readonly (Step | Border)[] }) {
  return (
    <>
      {steps.map((step, i) =>
        step.kind === 'border' ? (
          <li key={i} class="border">
            {step.text}
          </li>
        ) : (
          <StepItem key={i} step={step} />
        ),
      )}
    </>
  );
}

function StepItem({ step }: { readonly step: Step }) {
  const { name, module, gloss, place, subsystem, family, isTarget, isSite, isHelper, isUser, isInlined } = step;
  const marks = [
    isTarget ? 'target' : '',
    isSite ? 'site: it decided to call' : '',
    isHelper && !isTarget ? 'helper' : '',
    isInlined ? 'inlined' : '',
  ].filter((mark) => mark !== '');
  const where = [place, subsystem, isUser ? 'user space' : ''].filter((part) => part !== '').join(' · ');
  return (
    <li class={isHelper && !isTarget ? 'step is-helper' : 'step'}>
      <i class={`swatch family-${family}`} />
      <div>
        <button
          type="button"
          class="name"
          title="Its callers and callees over all its places"
          onClick={() => change([sandwich.to(name), view.to('paths')])}
        >
          <code>{name}</code>
        </button>
        {module !== '' && <small> {isUser ? module.slice(module.lastIndexOf('/') + 1) : `[${module}]`}</small>}
        {marks.map((mark) => (
          <small key={mark} class="mark">
            {mark}
          </small>
        ))}
        {gloss !== '' && <p>{gloss}</p>}
        <small>{where === '' ? 'not known to the atlas' : where}</small>
      </div>
    </li>
  );
}
