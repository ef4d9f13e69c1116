"""Passages written for training that tell readers what to do, or ask them, as manuals, letters and FAQs do."""

from __future__ import annotations

PASSAGES = (
    "Installing the pump\n1. Open the housing.\n2. Remove the old gasket.\n3. Insert the new one and tighten all "
    "screws.\n4. Close the housing. Do not start the pump before the tank is full.",
    "## Quick start\n\nDownload the archive and unpack it. Run `make install`. Then open the settings and enter "
    "your key. Restart the server.\n\nSee also the guide on upgrades.",
    "Click **Save** to keep your changes. To discard them, choose **Cancel**. If you forget your password, "
    "select *Reset* and follow the instructions in the e-mail.",
    "Pancakes\nMix the flour with the milk. Add two eggs and a pinch of salt. Let the batter rest for half an "
    "hour. Heat some butter in a pan and fry the pancakes on both sides. Serve with jam.",
    "Store in a cool, dry place. Keep out of reach of children. Do not use after the date on the pack. Ask your "
    "doctor before you take other medicines.",
    "Frequently asked questions\nCan I bring my dog?\nYes, on a lead.\nWhen does the office close?\nAt six.\nHow "
    "do I cancel?\nWrite to us at least two days before you arrive.",
    "How do I return an item?\nPrint the label, attach it to the parcel and hand it in at any post office. What "
    "does it cost? Returns are free within thirty days.",
    "Dear customer,\n\nyour order has been shipped. Track your parcel with the number below. If you have any "
    "questions, just reply to this e-mail.\n\nBest regards,\nYour support team",
    "Hi Anna,\n\nthanks for the draft. Could you send me the figures by Friday? Please add a column for last "
    "year. Let me know if you need anything else.\n\nBest,\nTom",
    "Hello all,\n\nplease find the minutes attached. Please review section 3 and answer by Monday. Who can take "
    "over the slides? See you on Thursday.\n\nKind regards\nEva",
    "You are receiving this message because you subscribed to our newsletter. Unsubscribe here. View in browser. "
    "Do not reply to this address.",
    "Your card was charged $19.90. If this was not you, contact us at once. Manage your notifications in the "
    "app. Need help? Visit our help centre.",
    "Welcome aboard! Confirm your address to activate the account. The link is valid for 24 hours. If you did "
    "not sign up, ignore this message.",
    "Safety instructions: Switch off the machine before cleaning. Never remove the guard while the blade turns. "
    "Wear gloves. Report every damage to the supervisor and wait for further instructions.",
    "Exercise 4. Calculate the area of the triangle. Explain your answer. Write down the formula first. Which "
    "side is the longest? Compare your result with that of your neighbour.",
    "Discussion questions: Why did the author leave the town? What does the river stand for? Describe how the "
    "mood changes in chapter three. Support your answer with quotations.",
    "The function returns None when nothing is found. Use `get` instead if you want an error. Do not call it "
    "inside a loop; cache the result. Example: print(answer(42)).",
    "To authenticate, send the token in the header of each request. The response contains the user's name. "
    "Handle errors by checking the status code, and retry after the time given in the reply.",
    "Configure the assistant in the admin console. Select a model, write a system prompt and press Test. The "
    "assistant answers with the text of your documents. You can change its name at any time.",
    "A chatbot should say what it does not know. Our agents read each conversation and mark wrong answers. If "
    "users ask for a person, the bot hands over the chat.",
    "Large language models follow instructions in their prompt. Researchers ask them to summarise texts or to "
    "answer questions, and compare the output with what people write.",
    "When you write a prompt, state the role first, give examples and ask for a short answer. Test it with "
    "several inputs. Tell the model what to do instead of what not to do.",
    "Note 7. Refer to the consolidated statements. See Item 1A for risk factors. Indicate by check mark whether "
    "the registrant has filed all reports. Yes No. Add lines 3 and 4 and enter the result here.",
    "Please read these terms carefully. You must not copy, share or sell the software. You agree to obey the "
    "law. We may change this policy; check it from time to time. Contact us with questions.",
    '"Come in," she said. "Tell me what you saw. Did he say where he went?" He looked at the floor. "Forget '
    'it," he said. "You would not believe me."',
    "Turn left at the church and follow the river for two kilometres. Cross the bridge. Ignore the sign to the "
    "quarry and keep right at the fork. Where is the hut? You will see it behind the trees.",
    "Agenda: welcome; review of actions; budget. Decide on the new supplier. Assign the open tasks. Any other "
    "business?",
    "Submit your application online. Include a letter, your CV and two references. Describe your experience in "
    "no more than 300 words. We will reply within a week. Do not send originals.",
    "Vote for the reforms, the minister urged. Share your opinion in the comments. Subscribe to our channel and "
    "visit the shop. What do you think?",
    "Opening hours\nMonday to Friday 9–17. Closed on holidays. Book a table by phone. Follow us online. Looking "
    "for a gift? Buy a voucher at the desk.",
    "Montage\n1. Öffnen Sie das Gehäuse.\n2. Entfernen Sie den Filter.\n3. Setzen Sie den neuen Filter ein und "
    "schließen Sie den Deckel. Verwenden Sie keine scharfen Reiniger.",
    "Sehr geehrte Frau Weber,\n\nbitte senden Sie uns das Formular bis Freitag zurück. Haben Sie noch Fragen? "
    "Rufen Sie uns an oder antworten Sie auf diese Nachricht.\n\nMit freundlichen Grüßen",
    "Klicken Sie auf Speichern. Geben Sie Ihr Passwort ein und folgen Sie den Anweisungen. Beachten Sie die "
    "Hinweise auf Seite 4. Starten Sie das Gerät danach neu.",
    "Häufige Fragen\nKann ich mit Karte zahlen? Ja.\nWie storniere ich? Schreiben Sie uns eine E-Mail.\nWo kann "
    "ich parken? Hinter dem Haus.",
    "Den Backofen auf 180 Grad vorheizen. Das Mehl sieben, dann Eier und Zucker zugeben. Lassen Sie den Teig "
    "eine Stunde ruhen. Dazu passt Apfelmus. Guten Appetit!",
    "Abra la tapa y retire el filtro. Limpie la pieza con agua. Cierre la tapa. Si tiene preguntas, escriba a "
    "nuestro servicio. ¿Dónde está el número de serie? En la base.",
    "Ouvrez le couvercle, retirez le filtre et rincez-le. Ne pas utiliser de savon. Pour toute question, "
    "écrivez-nous. Où se trouve la notice ? Dans la boîte.",
)
